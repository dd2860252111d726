"""Debian templates: made once with debootstrap from this machine's mirror, kept in the cache."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO

from lab.errors import LabError
from lab.host.debian_mirror import Mirror, find_mirror
from lab.host.template_files import PACKAGES, added_certificates, settings
from lab.paths import LabPaths, cache_dir
from lab.process.tls import machine_bundle
from lab.toolchain.jobs import CommandFailed, Jobs
from lab.toolchain.progress import Board, Task, board
from lab.toolchain.store import Store
from lab.world.models import World

NODE_RELEASE = "trixie"
"""Proxmox VE 9 is a Debian 13."""

_PACK = Path(__file__).with_name("scripts") / "pack-template.sh"
_ARCHIVE = "rootfs.tar.zst"
_PHASES = {"retrieving", "validating", "extracting", "unpacking", "configuring"}
# Whatever ends the build, no mount and no process of it stays.
_ALONE = (
    "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
    "--mount-proc",
)  # fmt: skip


def releases_of(world: World) -> tuple[str, ...]:
    """The releases that the world's templates, its node and its hosts need."""
    hosts = (host.release for host in world.hosts.values())
    templates = (template.release for template in world.proxmox.templates)
    return tuple(sorted({NODE_RELEASE, *hosts, *templates}))


def ensure_templates(
    releases: Iterable[str], out: IO[str] | None = None, jobs: Jobs | None = None
) -> dict[str, Path]:
    """An archive for each release, from the cache or made now, side by side.

    Progress goes to `out` (standard error). Whoever calls from a thread ends the work by `jobs`.
    Raises LabError when one cannot be made.
    """
    mirror = find_mirror()
    trusted = machine_bundle().decode(errors="replace")
    store = Store(cache_dir() / "templates")
    keys = {release: _key(release, mirror, trusted) for release in releases}
    found = {release: store.find(release, key) for release, key in keys.items()}
    made = {release: path / _ARCHIVE for release, path in found.items() if path}
    missing = [release for release in keys if release not in made]
    if missing:
        jobs = jobs or Jobs()
        with board(out) as shown, ThreadPoolExecutor(len(missing)) as pool:
            build = _Build(mirror, trusted, store, jobs, shown)
            running = {r: pool.submit(build.make, r, keys[r]) for r in missing}
            try:
                for future in wait(running.values(), return_when=FIRST_EXCEPTION).done:
                    future.result()
            except BaseException:
                jobs.stop()
                raise
            made |= {release: future.result() for release, future in running.items()}
    return made


def place_templates(paths: LabPaths, world: World, built: dict[str, Path]) -> None:
    """Put the archives where the world's storages have them, under the world's names."""
    for template in world.proxmox.templates:
        storage, _, name = template.volume.partition(":vztmpl/")
        place = paths.storages / storage / "template" / "cache" / name
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            _link(built[template.release], place)


def _link(archive: Path, place: Path) -> None:
    try:
        os.link(archive, place)
    except OSError:  # another file system
        unfinished = place.with_name(f".{place.name}.unfinished")
        shutil.copyfile(archive, unfinished)
        unfinished.rename(place)


def _key(release: str, mirror: Mirror, trusted: str) -> str:
    recipe = [release, PACKAGES, settings(mirror, release), mirror.main, trusted]
    text = json.dumps(recipe) + _PACK.read_text(encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class _Build:
    def __init__(
        self, mirror: Mirror, trusted: str, store: Store, jobs: Jobs, shown: Board
    ) -> None:
        self._mirror = mirror
        self._trusted = trusted
        self._store = store
        self._jobs = jobs
        self._shown = shown

    def make(self, release: str, key: str) -> Path:
        """Build the archive, or wait for another process that is at it."""
        with self._shown.task(f"template {release}") as task:

            def fill(directory: Path) -> None:
                self._fill(release, directory, task)

            def waits(holder: str) -> None:
                task.says(f"process {holder} makes it already, waiting for it")

            made = self._store.make(release, key, fill, waits_for=waits, stopped=self._jobs.stopped)
            return made / _ARCHIVE

    def _fill(self, release: str, directory: Path, task: Task) -> None:
        root = directory / "rootfs"
        packages = f"--include={','.join(PACKAGES)}"
        debootstrap = ["debootstrap", "--variant=minbase", packages, release]
        self._run(release, [*debootstrap, str(root), self._mirror.main], directory, task)
        bundle = root / "etc/ssl/certs/ca-certificates.crt"
        files = settings(self._mirror, release)
        files |= added_certificates(self._trusted, bundle.read_text(encoding="utf-8"))
        for path, text in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        task.says("packs it")
        pack = [str(_PACK), str(root), str(directory / _ARCHIVE)]
        self._run(release, pack, directory, task)
        shutil.rmtree(root)

    def _run(self, release: str, command: list[str], directory: Path, task: Task) -> None:
        phase = ""

        def on_line(line: str) -> None:
            # debootstrap tells what it does to each package: "I: Extracting dpkg..."
            nonlocal phase
            said, _, rest = line.partition(" ")
            word = rest.partition(" ")[0].lower()
            if said == "I:" and word in _PHASES and word != phase:
                phase = word
                task.says(f"{word} packages")

        environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        try:
            self._jobs.run(
                [*_ALONE, *command], directory=directory, environment=environment, on_line=on_line
            )
        except CommandFailed as failed:
            last = "\n".join(failed.lines[-8:])
            raise LabError(
                f"template {release}: cannot be made from {self._mirror.main}; the last words "
                f"of {command[0].rpartition('/')[2]}:\n{last}"
            ) from failed
        except FileNotFoundError as error:
            raise LabError(
                f"template {release}: {error.filename} is not installed; run: "
                f"sudo apt-get install debootstrap util-linux"
            ) from error
