"""`remove`: stops the service and removes what is ours; `status`: says how it is.

The answer of `remove`: {"result": "removed" | "absent", "service", "removed": [paths and units],
"stays": [what is left on the host on purpose]}. Of `status`: {"service", "units": {name: state},
"release", "confirmed": bool, "since": text of systemd}.
"""

import sys
from pathlib import Path
from typing import Any

from . import files, lock, placed, state, systemd
from .document import Named
from .failure import StepFailed
from .host import Host
from .report import Report
from .state import State

STOP_LIMIT_S = 900
LEAVE_LIMIT_S = 60
SHARED = ("cache", "guest", "incoming", "python", "uv")


def remove(document: Named, host: Host, report: Report) -> dict[str, Any]:
    """Take down what deploys of this service placed, and nothing else."""
    with lock.held(host, document.service, document.lock_limit_s, report):
        memory = state.load(host, document.service)
        if memory.owner and memory.owner != document.owner:
            raise StepFailed(f"service {document.service}: here it belongs to {memory.owner}")
        removed = systemd.remove(_units(document, memory, host), STOP_LIMIT_S, host, report)
        roots = [host.at(root) for root in memory.roots]
        env_files = [host.at(path) for path in [*memory.env_files, *memory.certificates]]
        archives = [host.at(path) for path in memory.archives]
        ours = [path for root in roots for path in _ours_in(root)]
        removed += [str(path) for path in [*ours, *env_files, *archives] if files.remove_tree(path)]
        for directory in [*roots, *(path.parent for path in [*env_files, *archives])]:
            files.remove_if_empty(directory)
        stays = _stays({*roots, host.at(document.root)}, document, memory, host)
        files.remove_tree(state.home(host, document.service))
        leave(host, report)
    for item in stays:
        report.say(f"stays: {item}")
    return {
        "result": "removed" if removed else "absent",
        "service": document.service,
        "removed": removed,
        "stays": stays,
    }


def leave(host: Host, report: Report) -> None:
    """Without any service left, what all of them shared goes: guest program, uv, caches."""
    with lock.held(host, "leave", LEAVE_LIMIT_S, report):
        _leave(host)


def _leave(host: Host) -> None:
    if not files.remove_if_empty(host.at(f"{state.HOME}/services")):
        return
    for part in SHARED:
        files.remove_tree(host.at(f"{state.HOME}/{part}"))
    files.remove_if_empty(host.at(state.HOME))
    program = Path(sys.argv[0])
    if program.suffix == ".pyz":
        # Where who logs in is not root, it was sent to a directory of his own.
        home = program.resolve().parent.parent
        files.remove_tree(home / "guest")
        files.remove_if_empty(home / "incoming")
        files.remove_if_empty(home)


def status(document: Named, host: Host) -> dict[str, Any]:
    """How the service is, without touching anything."""
    memory = state.load(host, document.service)
    units = systemd.show(memory.units, host) if memory.units else {}
    since = ""
    if units:
        name = f"{document.unit}.service"
        since = host.run(["systemctl", "show", "--value", "-p", "ActiveEnterTimestamp", name])
    return {
        "service": document.service,
        "units": {name: f"{unit.active} ({unit.sub})" for name, unit in units.items()},
        "release": placed.running_release(document.root, host),
        "confirmed": bool(memory.confirmed),
        "since": since.strip(),
    }


def _units(document: Named, memory: State, host: Host) -> list[str]:
    names = {*memory.units, f"{document.unit}.service", f"{document.unit}.socket"}
    contents = {name: files.read(systemd.file_of(name, host)) or b"" for name in names}
    return sorted(
        name for name, text in contents.items() if systemd.owner_of(text) == document.owner
    )


def _ours_in(root: Path) -> list[Path]:
    current = root / "current"
    link = [current] if current.is_symlink() else []
    return [*link, root / "releases", root / "envs"]


def _stays(roots: set[Path], document: Named, memory: State, host: Host) -> list[str]:
    stays = [
        str(path) for root in sorted(roots) if root.is_dir() for path in sorted(root.iterdir())
    ]
    if host.account(document.user) is not None and document.user != "root":
        stays.append(f"user {document.user}")
    return stays + [f"package {name}" for name in memory.packages]
