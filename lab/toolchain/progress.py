"""What a person sees while something takes long: lines, or moving bars on a terminal."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Protocol, Self

_REMIND_SECONDS = 15.0


class Task(Protocol):
    """One thing under way."""

    def says(self, text: str) -> None:
        """Tell what it does now."""

    def counts(self, done: int, total: int) -> None:
        """Tell how much of that is done."""


class Board(Protocol):
    """Where things under way are shown, each with the time that it has taken."""

    def task(self, title: str) -> AbstractContextManager[Task]:
        """Show one until the block ends; it may run beside others, in another thread."""


@contextmanager
def board(out: IO[str] | None = None) -> Iterator[Board]:
    """Moving bars if `out` (standard error) is a terminal, plain lines otherwise."""
    out = out or sys.stderr
    if out.isatty():
        # Not before it is needed: a run that has nothing to do must be over in a moment.
        from lab.toolchain.progress_bars import bars

        with bars(out) as shown:
            yield shown
    else:
        with LineBoard(out) as lines:
            yield lines


class _LineTask:
    def __init__(self, title: str, show: Callable[["_LineTask"], None]) -> None:
        self._title = title
        self._show = show
        self._started = time.monotonic()
        self._text = ""
        self._share = ""

    def says(self, text: str) -> None:
        self._text = text
        self._share = ""
        self._show(self)

    def counts(self, done: int, total: int) -> None:
        self._share = f", {done} of {total}"

    def __str__(self) -> str:
        seconds = time.monotonic() - self._started
        return f"{self._title}: {self._text}{self._share} ({seconds:.0f} s)"


class LineBoard:
    """A line whenever a task says something, and a reminder of each that is silent for long."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._tasks: list[_LineTask] = []
        self._over = threading.Event()
        self._reminder = threading.Thread(target=self._remind, daemon=True)

    def __enter__(self) -> Self:
        self._reminder.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._reminder.join()

    @contextmanager
    def task(self, title: str) -> Iterator[Task]:
        line = _LineTask(title, self._show)
        with self._lock:
            self._tasks.append(line)
        try:
            yield line
        finally:
            with self._lock:
                self._tasks.remove(line)

    def _show(self, line: _LineTask) -> None:
        with self._lock:
            print(line, file=self._out, flush=True)

    def _remind(self) -> None:
        while not self._over.wait(_REMIND_SECONDS):
            with self._lock:
                for line in self._tasks:
                    print(line, file=self._out, flush=True)
