"""`lab setup`, `lab up` and `lab down`: everything is made that is missing; nothing is left."""

import fcntl
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from lab.cli.places import require_places
from lab.cli.status import node_is_off, read_status
from lab.cli.suggest import suggest
from lab.cloudflare.credentials import ensure_credentials as ensure_cloudflare
from lab.connector.repository.key import ensure_signing_key
from lab.errors import LabError
from lab.host.capabilities import obstacles
from lab.paths import LabPaths, cache_dir
from lab.process.ask import ask
from lab.process.keys import ensure_login_key
from lab.process.life import kill, lives
from lab.process.spawn import spawn, wait_ready
from lab.process.tls import ensure_authority
from lab.proxmox.credentials import ensure_credentials
from lab.tailscale.credentials import ensure_credentials as ensure_tailscale
from lab.toolchain.jobs import Jobs, ends_on_sigterm
from lab.toolchain.store import Stopped
from lab.world import DEFAULT_WORLD, World, load_world


def prepare_machine(*, need_containers: bool) -> None:
    """Build programs and templates into the cache, install packages; start nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        _build(Path(scratch) / "pulumi", load_world(DEFAULT_WORLD), need_containers=need_containers)


def _build(
    home: Path, world: World, *, need_containers: bool
) -> tuple[list[dict[str, str]], list[str]]:
    """Returns the programs, and what is missing for containers."""
    missing = _missing(need_containers=need_containers)
    jobs = Jobs()
    with ThreadPoolExecutor() as pool, ends_on_sigterm():
        programs = pool.submit(_programs, home, jobs)
        running: list[Future[Any]] = [programs]
        if not missing:
            running.append(pool.submit(_templates, world, jobs))
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            # An interruption, or one that failed: the other one need not go on for minutes.
            if not all(map(_is_done, running)):
                jobs.stop()
    failed = [error for each in running if (error := each.exception()) is not None]
    for error in sorted(failed, key=lambda error: isinstance(error, Stopped)):
        raise error
    return programs.result(), missing


def _is_done(future: Future[Any]) -> bool:
    return future.done() and future.exception() is None


def bring_up(paths: LabPaths, world_file: Path | None, *, need_containers: bool) -> None:
    """Start the lab, or say that it is up."""
    started = time.monotonic()
    require_places(paths)
    with _alone(paths):
        kept = paths.world if paths.world.exists() else DEFAULT_WORLD
        source = world_file or kept
        world = load_world(source)
        if world_file is not None and paths.world.exists():
            _refuse_other_world(paths, world_file)
        if _is_up(paths, need_containers=need_containers):
            _say_it_is_up(paths)
            return
        programs, missing = _build(paths.pulumi_home, world, need_containers=need_containers)
        _make_files(paths, source, world, missing)
        (paths.root / "programs.json").write_text(json.dumps(programs))
        spawn(paths, _phases(paths))
        _say_it_is_up(paths, f" ({time.monotonic() - started:.0f} s)")
        if missing:
            _say("without containers: " + "; ".join(missing))


def _say_it_is_up(paths: LabPaths, took: str = "") -> None:
    _say(f"lab {paths.name}: is up{took}")
    for machine in read_status(paths).get("machines", []):
        if machine["kind"] == "node" and not machine["running"]:
            _say(suggest(node_is_off(machine["name"])))


def take_down(paths: LabPaths) -> None:
    """Remove the lab, whether its process runs or not."""
    from lab.host.teardown import remove_lab

    with _alone(paths):
        kill(paths)
        remove_lab(paths)
    _say(f"lab {paths.name}: is gone")


def _is_up(paths: LabPaths, *, need_containers: bool) -> bool:
    if lives(paths):
        # Somebody else's `up` may have been interrupted while it was starting.
        wait_ready(paths, _phases(paths))
    answer = ask(paths, "GET", "/status")
    if answer is None:
        return False
    if need_containers and not answer["containers"]:
        raise LabError(
            f"lab {paths.name}: runs without containers: {'; '.join(answer['missing'])}; "
            f"put that right, then `bin/lab down` and `bin/lab up`"
        )
    return True


def _refuse_other_world(paths: LabPaths, world_file: Path) -> None:
    if world_file.read_bytes() != paths.world.read_bytes():
        raise LabError(
            f"{world_file}: lab {paths.name} was made with another world; "
            f"`bin/lab down` first, or give this one a name: `bin/lab up --name NAME`"
        )


def _missing(*, need_containers: bool) -> list[str]:
    if sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get"):
        from lab.toolchain.debian import ensure_debian_packages

        ensure_debian_packages()
    missing = obstacles()
    if missing and need_containers:
        raise LabError(
            "containers: this machine cannot run them:\n"
            + "\n".join(f"  - {sentence}" for sentence in missing)
            + "\n`bin/lab up` starts a lab without containers: previews work in it"
        )
    return missing


def _programs(home: Path, jobs: Jobs) -> list[dict[str, str]]:
    from lab.doubles.commands import double_commands
    from lab.toolchain import ensure

    doubles = double_commands(Path(sys.executable))
    return [program.as_json() for program in ensure(home, doubles=doubles, jobs=jobs).programs]


def _templates(world: World, jobs: Jobs) -> None:
    from lab.host.templates import ensure_templates, releases_of

    ensure_templates(releases_of(world), jobs=jobs)


def _make_files(paths: LabPaths, source: Path, world: World, missing: list[str]) -> None:
    paths.root.mkdir(parents=True, exist_ok=True)
    if source != paths.world:
        shutil.copyfile(source, paths.world)
    (paths.root / "missing.json").write_text(json.dumps(missing))
    ensure_authority(paths)
    ensure_login_key(paths)
    ensure_signing_key(paths)
    ensure_credentials(world, paths)
    ensure_cloudflare(world, paths)
    ensure_tailscale(world, paths)


@contextmanager
def _alone(paths: LabPaths) -> Iterator[None]:
    lock = cache_dir() / f"lab-{paths.name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        file = stack.enter_context(lock.open("w"))
        _lock(file, paths)
        while not _is_file(file, lock):
            # Whoever held it removed the file: the lock of one that has no name holds nobody off.
            file = stack.enter_context(lock.open("w"))
            _lock(file, paths)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _lock(file: IO[str], paths: LabPaths) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say(f"lab {paths.name}: another `lab up` or `lab down` is at work; waiting for it")
        fcntl.flock(file, fcntl.LOCK_EX)


def _is_file(file: IO[str], path: Path) -> bool:
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def _phases(paths: LabPaths) -> Callable[[str], None]:
    return lambda phase: _say(f"lab {paths.name}: {phase}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
