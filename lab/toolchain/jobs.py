"""Commands that run on behalf of several threads and can be ended together."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from lab.toolchain.store import Stopped

_KEPT_LINES = 40


class CommandFailed(Exception):  # noqa: N818
    """A command did not end with 0. `lines` are the last that it said, `code` its exit code."""

    def __init__(self, command: Sequence[str], code: int, lines: Sequence[str]) -> None:
        super().__init__(f"{command[0]} ended with {code}")
        self.command = tuple(command)
        self.code = code
        self.lines = tuple(lines)


class Jobs:
    """Runs commands, each in a process group of its own, until `stop`."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()

    def run(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Run to the end and hand over every line as it comes.

        Raises `CommandFailed`, or `Stopped` when `stop` was called before or meanwhile.
        """
        last: deque[str] = deque(maxlen=_KEPT_LINES)
        process = self._start(command, directory, environment)
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                last.append(line.rstrip("\n"))
                on_line(last[-1])
        # Seen to have ended, but reaped only under the lock: `stop` must not hit a reused number.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._running.discard(process)
            code = process.wait()
        if self.stopped.is_set():
            raise Stopped
        if code != 0:
            raise CommandFailed(command, code, tuple(last))

    def stop(self) -> None:
        """End everything that runs, with its children, and start nothing more."""
        with self._lock:
            self.stopped.set()
            for process in self._running:
                os.killpg(process.pid, signal.SIGKILL)

    def _start(
        self, command: Sequence[str], directory: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self.stopped.is_set():
                raise Stopped
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                process_group=0,
            )
            self._running.add(process)
            return process


@contextmanager
def ends_on_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind the block, so that commands are ended and what is half made is removed."""

    def unwind(number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
