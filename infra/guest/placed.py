"""What is placed for a service outside its releases: `current`, environment file, units.

It is taken down in memory before a switch, so that a switch that fails can put it back.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from . import account, files, systemd
from .document import Deploy
from .failure import StepFailed
from .host import Host, Ids
from .state import State


@dataclass(frozen=True)
class Placed:
    """The bytes of our files by path, None where there is no file, and where `current` leads."""

    units: dict[str, bytes | None]
    env_files: dict[str, bytes | None]
    current: str | None


def units_of(document: Deploy) -> list[str]:
    """The units of a service, the socket first, so that its port is open before it starts."""
    return sorted(document.units, key=lambda name: not name.endswith(".socket"))


def current_of(root: str, host: Host) -> Path:
    """The link that boot reads."""
    return host.at(root) / "current"


def demand_ours(root: str, roots: Collection[str], host: Host) -> None:
    """StepFailed where what we would replace is there and somebody else's; `roots` are ours."""
    current = current_of(root, host)
    theirs = [path for path in (current,) if path.exists() and not path.is_symlink()]
    if root not in roots:
        places = [host.at(root) / part for part in ("current", "releases", "envs")]
        theirs = [path for path in places if path.exists() or path.is_symlink()]
    if theirs:
        raise StepFailed(
            f"{', '.join(map(str, theirs))}: on the host already, and not made by this service",
            remedy="give the service another `install_path`, or move that away",
        )


def note(document: Deploy, state: State, host: Host) -> Placed:
    """What is there now, under the names of the document and those of the deploy before."""
    units = dict.fromkeys([*state.units, *document.units])
    env_files = dict.fromkeys([*state.env_files, document.env_file.path])
    current = current_of(document.root, host)
    return Placed(
        {name: files.read(systemd.file_of(name, host)) for name in units},
        {path: files.read(host.at(path)) for path in env_files},
        str(current.readlink()) if current.is_symlink() else None,
    )


def place(document: Deploy, release: Path, host: Host) -> list[str]:
    """Write what differs, reload systemd where units did; gives what changed."""
    ids = account.ids(document.user, host)
    changed = []
    if write_env_file(document, ids, host):
        changed.append("environment file")
    if files.link(current_of(document.root, host), f"releases/{release.name}"):
        changed.append("current")
    if written := systemd.write(document.units, host):
        systemd.reload(host)
        changed += written
    # What a timer starts is not started at boot.
    timed = {
        f"{name.removesuffix('.timer')}.service" for name in document.units if ".timer" in name
    }
    names = [name for name in units_of(document) if name not in timed]
    shown = systemd.show(names, host)
    if not all(unit.enabled for unit in shown.values()):
        systemd.enable(names, host)
        changed.append("enabled")
    timers = [name for name in names if name.endswith(".timer") and not shown[name].is_active]
    for name in timers:
        systemd.start(name, systemd.QUICK_S, host)
        changed.append(name)
    return changed


def write_env_file(document: Deploy, ids: Ids, host: Host) -> bool:
    """Our environment file, readable by root and by the group of the service alone."""
    path = host.at(document.env_file.path)
    files.directory(path.parent, mode=0o755, ids=host.root_ids)
    content = document.env_file.text.encode()
    return files.write(path, content, mode=0o640, ids=Ids(host.root_ids.uid, ids.gid))


def put_back(was: Placed, document: Deploy, host: Host) -> None:
    """Make everything as it was noted, and systemd with it. Starts and stops nothing."""
    current = current_of(document.root, host)
    if was.current is None:
        files.remove_tree(current)
    else:
        files.link(current, was.current)
    gid = account.ids(document.user, host).gid
    for path, content in was.env_files.items():
        _restore(host.at(path), content, 0o640, Ids(host.root_ids.uid, gid))
    gone = [name for name, content in was.units.items() if content is None]
    present = [name for name in gone if systemd.file_of(name, host).is_file()]
    if present:
        host.run(["systemctl", "disable", "--quiet", *present], limit_s=systemd.QUICK_S)
    for name, content in was.units.items():
        _restore(systemd.file_of(name, host), content, 0o644, host.root_ids)
    systemd.reload(host)


def _restore(path: Path, content: bytes | None, mode: int, ids: Ids) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        files.directory(path.parent, mode=0o755, ids=ids)
        files.write(path, content, mode=mode, ids=ids)


def running_release(root: str, host: Host) -> str:
    """The id that `current` names, empty where there is none."""
    current = current_of(root, host)
    return os.path.basename(current.readlink()) if current.is_symlink() else ""  # noqa: PTH119
