"""Things under way on a terminal: one moving bar each."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from lab.toolchain.progress import Board, Task


@contextmanager
def bars(out: IO[str]) -> Iterator[Board]:
    """A board on the terminal `out`."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[says]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=out)) as progress:
        yield _Bars(progress)


class _Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextmanager
    def task(self, title: str) -> Iterator[Task]:
        bar = self._progress.add_task(title, total=None, says="")
        yield _Bar(self._progress, bar)
        self._progress.update(bar, total=1, completed=1)


class _Bar:
    def __init__(self, progress: Progress, bar: TaskID) -> None:
        self._progress = progress
        self._bar = bar

    def says(self, text: str) -> None:
        self._progress.update(self._bar, says=text, total=None)

    def counts(self, done: int, total: int) -> None:
        self._progress.update(self._bar, completed=done, total=total)
