"""One step at a time for a service, also beside a step whose engine was killed."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from . import files
from .failure import Locked
from .host import Host
from .report import Report

POLL_S = 0.2
DIRECTORY = "/run/berth"


@contextmanager
def held(host: Host, name: str, limit_s: float, report: Report) -> Iterator[int]:
    """Hold the lock of that name; gives its descriptor, for children that must not outlive it.

    The kernel lets go of it when the last process that has it is gone. Waits for at most
    `limit_s`, then Locked, which names the holder.
    """
    place = host.at(DIRECTORY)
    files.directory(place, mode=0o755, ids=host.root_ids)
    descriptor = os.open(place / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait(descriptor, name, limit_s, report)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _wait(descriptor: int, name: str, limit_s: float, report: Report) -> None:
    deadline = time.monotonic() + limit_s
    said = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode() or "unknown"
            if time.monotonic() >= deadline:
                raise Locked(
                    f"{name}: another step works on it (process {holder} of this host), "
                    f"and was not done after {limit_s:.0f} s",
                    remedy=f"wait for it, or look at it with `ps -fp {holder}`; then run "
                    f"`pulumi up` again",
                ) from None
            if not said:
                report.say(f"waiting for another step on {name} (process {holder})")
                said = True
            time.sleep(POLL_S)
        else:
            return
