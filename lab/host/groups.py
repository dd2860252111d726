"""The lab's control groups: `<lab>/<key>` and beside it `.monitor`, `.ending`, `.boot`.

Standard library only: the boot of a container uses it, too.
"""

import errno
import os
import time
from pathlib import Path

from lab.host.mounts import mount_table

MONITOR = ".monitor"
"""LXC's monitor while the container runs."""
ENDING = ".ending"
"""The monitor once the container has ended."""
BOOT = ".boot"
"""What starts the container, the first time or again."""
AROUND = (MONITOR, ENDING, BOOT)
"""All of them, in the order in which processes move on; the first follows the last."""
_POLL_S = 0.01
_GONE = {errno.ENOENT, errno.ENODEV}
"""What the kernel says of a group that does not exist, or was removed a moment ago."""


def unified_root() -> Path | None:
    """Where this machine has cgroup2: on a usual Debian /sys/fs/cgroup."""
    # The last one counts: a private mount namespace covers the machine's own.
    return next((m.point for m in reversed(mount_table()) if m.kind == "cgroup2"), None)


def members(group: Path) -> list[int]:
    """Processes in this very group; none when there is no such group."""
    try:
        return [int(line) for line in (group / "cgroup.procs").read_text().split()]
    except OSError as error:
        if error.errno not in _GONE:
            raise
        return []


def populated(group: Path) -> bool:
    """Whether any process lives in the group or below."""
    try:
        return "populated 1" in (group / "cgroup.events").read_text()
    except OSError as error:
        if error.errno not in _GONE:
            raise
        return False


def join(group: Path, pid: int | None = None) -> None:
    """Move a process (this one by default) into the group, made if need be."""
    group.mkdir(parents=True, exist_ok=True)
    (group / "cgroup.procs").write_text(str(pid or os.getpid()))


def kill(group: Path) -> None:
    """SIGKILL everything in the group and below."""
    try:
        (group / "cgroup.kill").write_text("1")
    except OSError as error:
        if error.errno not in _GONE:
            raise


def wait_empty(group: Path, limit_s: float) -> bool:
    """Wait until nothing lives in the group; False when something still does."""
    deadline = time.monotonic() + limit_s
    while populated(group):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def remove(group: Path) -> None:
    """Remove an empty group with the groups below; OSError when a process is left."""
    try:
        for child in group.iterdir():
            if child.is_dir():
                remove(child)
        group.rmdir()
    except OSError as error:
        if error.errno not in _GONE:  # LXC removes them, too
            raise
