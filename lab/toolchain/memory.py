"""What builds do with memory: how many run beside each other, and how often they collect."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_ROOMY_MEGABYTES = 12_000
"""More than two and a half times the peaks of all builds together."""


def available_megabytes() -> int:
    """Memory that can be had without swapping; 0 where the system does not say (macOS)."""
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    found = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((int(fields[1]) // 1024 for fields in found), 0)


def collector(free_megabytes: int) -> dict[str, str]:
    """What Go's compiler is told in its environment about collecting garbage.

    Where there is room it collects at five times what is alive instead of twice: a sixth less
    processor time, and no byte of the result differs (https://go.dev/doc/gc-guide#GOGC).
    """
    return {"GOGC": "400"} if free_megabytes >= _ROOMY_MEGABYTES else {}


class MemoryBudget:
    """Lets one build in always, and others beside it while their peaks fit together."""

    def __init__(self, megabytes: int) -> None:
        self._megabytes = megabytes
        self._reserved = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserve(self, megabytes: int, *, waits: Callable[[], None]) -> Iterator[None]:
        """Wait until that much is free for the block; `waits` is called if it is not at once."""
        with self._changed:
            if not self._fits(megabytes):
                waits()
                self._changed.wait_for(lambda: self._fits(megabytes))
            self._reserved += megabytes
        try:
            yield
        finally:
            with self._changed:
                self._reserved -= megabytes
                self._changed.notify_all()

    def _fits(self, megabytes: int) -> bool:
        return self._reserved == 0 or self._reserved + megabytes <= self._megabytes
