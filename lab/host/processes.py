"""Which processes of a container live: asked of the kernel, so that no restart forgets any."""

import time
from pathlib import Path

from lab.guests import GuestError
from lab.host import groups, live
from lab.paths import LabPaths

_KILL_LIMIT_S = 10.0
_POLL_S = 0.01


class Processes:
    """The processes of one lab's containers."""

    def __init__(self, paths: LabPaths) -> None:
        self._paths = paths

    def group(self, key: str, suffix: str = "") -> Path:
        """The container's control group, or with a suffix of `groups.py` one beside it."""
        root = groups.unified_root()
        if root is None:
            raise GuestError("cgroup2 is not mounted on this machine")
        return root / self._paths.namespace / (key + suffix)

    def init(self, key: str) -> int | None:
        """Its init as this machine numbers it."""
        try:
            pid = int((self._paths.guests / key / "init.pid").read_text())
        except (OSError, ValueError):
            return None
        # The number may be another process's by now: it counts only within the group.
        return pid if live.runs_in(pid, f"/{self._paths.namespace}/{key}/") else None

    def monitor(self, key: str) -> int | None:
        """LXC's process that waits for the init; its mount namespace has the images."""
        return next(iter(groups.members(self.group(key, groups.MONITOR))), None)

    def require_init(self, key: str) -> int:
        """The same as `init`; GuestError when it does not run."""
        return _required(self.init(key), key)

    def require_monitor(self, key: str) -> int:
        """The same as `monitor`; GuestError when it does not run."""
        return _required(self.monitor(key), key)

    def in_transition(self, key: str) -> bool:
        """Whether something watches over the container, starts it or sees to its end."""
        # In the order in which processes move on, else one that moves meanwhile would be missed.
        around = (*groups.AROUND, groups.AROUND[0])
        return any(groups.populated(self.group(key, suffix)) for suffix in around)

    def kill(self, key: str) -> None:
        """End everything of it; blocks until that is so."""
        # Again and again, because a reboot from inside may be under way. The monitor ends by
        # itself after the container, and cleans up; it is killed only when it does not.
        began = time.monotonic()
        while groups.populated(self.group(key)) or self.in_transition(key):
            waited_s = time.monotonic() - began
            if waited_s > 2 * _KILL_LIMIT_S:
                raise GuestError(f"container {key}: its processes do not end")
            stubborn = groups.AROUND if waited_s > _KILL_LIMIT_S else (groups.BOOT,)
            for suffix in ("", *stubborn):
                groups.kill(self.group(key, suffix))
            time.sleep(_POLL_S)
        for suffix in ("", *groups.AROUND):
            groups.remove(self.group(key, suffix))


def _required(pid: int | None, key: str) -> int:
    if pid is None:
        raise GuestError(f"container {key} is not running")
    return pid
