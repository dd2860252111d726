"""Makes every program that a lab runs available in the lab's own PULUMI_HOME."""

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

from lab.paths import CHECKOUT, cache_dir
from lab.toolchain import home as homes
from lab.toolchain.compiling import Compiler, build_key
from lab.toolchain.golang import Go, present_go, provide_go
from lab.toolchain.installed import (
    InstalledPulumi,
    caller_pulumi_home,
    installed_plugin,
    installed_pulumi,
    mark_as_ours,
)
from lab.toolchain.jobs import Jobs, ends_on_sigterm
from lab.toolchain.memory import MemoryBudget, available_megabytes
from lab.toolchain.pins import PLUGINS, PULUMI, GoProgram, Plugin
from lab.toolchain.progress import Board, board
from lab.toolchain.store import Store

Origin = Literal["installed", "linked", "built", "double"]


@dataclass(frozen=True)
class Served:
    """Which program serves what.

    `installed`: the user's own, used where it is. `linked`: a plugin of the user's, linked into the
    lab's home. `built`: compiled here from the pinned source. `double`: a stand-in of the lab's.
    """

    name: str
    version: str
    path: str
    origin: Origin

    def as_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Toolchain:
    """Everything is in place; `home` is the PULUMI_HOME to run with."""

    home: Path
    pulumi: Path
    programs: tuple[Served, ...]

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """`base` (the process's own) with what the programs need to find each other.

        Nothing of the user's Pulumi is in it: neither home nor plugins that lie about on PATH.
        """
        kept = dict(os.environ if base is None else base)
        # Without byte code every start costs seconds; it is kept out of checkout and packages.
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        kept.setdefault("PYTHONPYCACHEPREFIX", str(cache_dir() / "bytecode"))
        # A project without a program of its own would run this checkout's.
        theirs = [entry for entry in kept.pop("PYTHONPATH", "").split(os.pathsep) if entry]
        if theirs := [entry for entry in theirs if Path(entry).resolve() != CHECKOUT]:
            kept["PYTHONPATH"] = os.pathsep.join(theirs)
        places = [str(self.pulumi.parent), str(Path(sys.executable).parent)]
        return {
            **kept,
            "PATH": os.pathsep.join([*places, kept.get("PATH", os.defpath)]),
            "PULUMI_HOME": str(self.home),
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }


def ensure(
    home: Path,
    *,
    doubles: Mapping[str, Sequence[str]] | None = None,
    out: IO[str] | None = None,
    jobs: Jobs | None = None,
) -> Toolchain:
    """Use what is installed, build what is missing, and lay `home` out.

    `doubles` are commands, by plugin name, for plugins that are neither installed nor built here.
    Progress goes to `out` (standard error). Whoever calls from a thread ends the builds by `jobs`.
    Raises `LabError` when something cannot be built.
    """
    mark_as_ours(home)
    engine = installed_pulumi(PULUMI.version)
    theirs = {
        plugin.name: found
        for plugin in PLUGINS
        if (found := installed_plugin(plugin, caller_pulumi_home())) is not None
    }
    wanted = [] if engine is not None else [PULUMI]
    wanted += [plugin.source for plugin in PLUGINS if plugin.source and plugin.name not in theirs]
    built = _build(wanted, out, jobs or Jobs()) if wanted else {}

    command, programs = _engine(home, engine, built)
    for plugin in PLUGINS:
        served = _plugin(home, plugin, theirs.get(plugin.name), built, (doubles or {}))
        if served is not None:
            programs.append(served)
    return Toolchain(home=home, pulumi=command, programs=tuple(programs))


def _engine(
    home: Path, engine: InstalledPulumi | None, built: Mapping[GoProgram, Path]
) -> tuple[Path, list[Served]]:
    if engine is not None:
        homes.place_language_host(home, engine)
        return engine.command, [
            Served("pulumi", engine.version, str(engine.command), "installed"),
            Served("language-python", engine.version, str(engine.language_host), "installed"),
        ]
    homes.remove_language_host(home)
    command = homes.place_engine(home, built[PULUMI])
    host = command.with_name("pulumi-language-python")
    return command, [
        Served("pulumi", PULUMI.version, str(command), "built"),
        Served("language-python", PULUMI.version, str(host), "double"),
    ]


def _plugin(
    home: Path,
    plugin: Plugin,
    installed: Path | None,
    built: Mapping[GoProgram, Path],
    doubles: Mapping[str, Sequence[str]],
) -> Served | None:
    if installed is not None:
        path = homes.place_plugin(home, plugin, installed)
        return Served(plugin.name, plugin.version, str(path.resolve()), "linked")
    if plugin.source is not None:
        path = homes.place_plugin(home, plugin, built[plugin.source])
        return Served(plugin.name, plugin.version, str(path.resolve()), "built")
    if plugin.name in doubles:
        path = homes.place_double(home, plugin, doubles[plugin.name])
        return Served(plugin.name, plugin.version, str(path), "double")
    homes.remove_plugin(home, plugin)
    return None


def _build(programs: Sequence[GoProgram], out: IO[str] | None, jobs: Jobs) -> dict[GoProgram, Path]:
    store = Store(cache_dir() / "programs")
    go = present_go(store)
    built = {} if go is None else _found(programs, go, store)
    missing = [program for program in programs if program not in built]
    if missing:
        with board(out) as shown, ends_on_sigterm():
            if go is None:
                with shown.task("Go") as task:
                    go = provide_go(store, jobs, task)
            compiler = Compiler(go, store, jobs, MemoryBudget(available_megabytes()))
            built |= _build_together(missing, compiler, jobs, shown)
    return built


def _found(programs: Sequence[GoProgram], go: Go, store: Store) -> dict[GoProgram, Path]:
    found = {
        program: store.find(program.executable, build_key(program, go)) for program in programs
    }
    return {program: path for program, path in found.items() if path is not None}


def _build_together(
    programs: Sequence[GoProgram], compiler: Compiler, jobs: Jobs, shown: Board
) -> dict[GoProgram, Path]:
    def provide(program: GoProgram) -> Path:
        with shown.task(program.title) as task:
            return compiler.provide(program, task)

    with ThreadPoolExecutor(max_workers=len(programs)) as pool:
        running = {program: pool.submit(provide, program) for program in programs}
        try:
            ended = wait(running.values(), return_when=FIRST_EXCEPTION).done
            for future in ended:
                future.result()
        except BaseException:
            jobs.stop()
            raise
    return {program: future.result() for program, future in running.items()}
