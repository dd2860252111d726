"""The cache of what was built: whole or absent, and made by one process at a time."""

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_UNFINISHED = ".unfinished-"
_POLL_SECONDS = 0.2


class Stopped(Exception):  # noqa: N818
    """The caller gave up while something was waited for."""


class Store:
    """Directories `<root>/<name>/<key>`; a key stands for everything that went into its content."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, name: str, key: str) -> Path | None:
        path = self._root / name / key
        return path if path.is_dir() else None

    def make(
        self,
        name: str,
        key: str,
        fill: Callable[[Path], None],
        *,
        waits_for: Callable[[str], None],
        stopped: threading.Event,
    ) -> Path:
        """Return the directory, filled by `fill` if nobody has done it yet.

        `waits_for` gets the id of the process that is at it already, once. Raises `Stopped` when
        `stopped` is set meanwhile, and whatever `fill` raises; then nothing is left.
        """
        if found := self.find(name, key):
            return found
        shelf = self._root / name
        shelf.mkdir(parents=True, exist_ok=True)
        with self._alone(shelf, waits_for, stopped):
            if found := self.find(name, key):
                return found
            for left_over in shelf.glob(f"{_UNFINISHED}*"):
                # Whoever was killed may have left a process that still writes there.
                shutil.rmtree(left_over, ignore_errors=True)
            unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=shelf))
            try:
                fill(unfinished)
                unfinished.chmod(0o755)
                finished = unfinished.rename(shelf / key)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
            return finished

    @contextmanager
    def _alone(
        self, shelf: Path, waits_for: Callable[[str], None], stopped: threading.Event
    ) -> Iterator[None]:
        # The kernel lets go of this lock when its process ends, however it ends.
        with (shelf / ".lock").open("a+", encoding="ascii") as lock:
            if not _taken(lock.fileno()):
                lock.seek(0)
                waits_for(lock.read().strip() or "unknown")
                while not _taken(lock.fileno()):
                    if stopped.wait(_POLL_SECONDS):
                        raise Stopped
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield


def _taken(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
