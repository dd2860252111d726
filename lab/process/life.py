"""Whether the lab's process lives: from its first moment to its last it holds the lock on the file
with its process id, which it inherits from whoever starts it."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from lab.errors import LabError
from lab.paths import LabPaths

_END_WITHIN_S = 10.0
_POLL_S = 0.01


@contextmanager
def claimed(paths: LabPaths) -> Iterator[IO[str] | None]:
    """The emptied, locked file for a new process to inherit; None while another one lives."""
    with paths.pid_file.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # A number that is there belonged to a process that is gone: it may be another one's now.
        file.truncate(0)
        yield file


def lives(paths: LabPaths) -> bool:
    """Whether it runs, ready or not."""
    if not paths.pid_file.exists():
        return False
    with paths.pid_file.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def kill(paths: LabPaths) -> None:
    """End it without ceremony, for a lab that is removed; no error when it does not run."""
    deadline = time.monotonic() + _END_WITHIN_S
    while lives(paths):
        if text := paths.pid_file.read_text():
            os.kill(int(text), signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LabError(
                f"lab {paths.name}: its process {text} does not end; end it, then run "
                f"`bin/lab down` again"
            )
        time.sleep(_POLL_S)
