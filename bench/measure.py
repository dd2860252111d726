"""Timing whole commands, and the table of what was measured."""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

CHECKOUT = Path(__file__).resolve().parent.parent


def seconds(command: Sequence[str | Path], cwd: Path = CHECKOUT) -> float:
    """Wall seconds of one run; a failure ends the bench with the command's output."""
    started = time.perf_counter()
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    took = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}")
    return took


Run = tuple[Sequence[str | Path], Path]
"""A command, and where it runs."""


def paired(one: Run, other: Run, *, rounds: int = 5) -> tuple[float, float, float]:
    """Medians of both, run in turn after one warm-up each, and the median ratio of the pairs."""
    seconds(*one), seconds(*other)
    pairs = [(seconds(*one), seconds(*other)) for _ in range(rounds)]
    return (
        median(a for a, _ in pairs),
        median(b for _, b in pairs),
        median(a / b for a, b in pairs),
    )


@dataclass
class Figures:
    """Rows of (what, measured, goal, met)."""

    title: str
    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def add(self, what: str, measured: str, goal: str, *, met: bool) -> None:
        """Add one figure, and print it at once: a bench takes minutes."""
        self.rows.append((what, measured, goal, met))
        print(f"  {what}: {measured} (goal: {goal})", flush=True)

    def show(self) -> bool:
        """Print the table; True when every goal is met."""
        table = Table(title=self.title)
        for heading in ("figure", "measured", "goal", "met"):
            table.add_column(heading)
        for what, measured, goal, met in self.rows:
            table.add_row(what, measured, goal, "yes" if met else "NO")
        Console(width=110).print(table)
        return all(met for *_, met in self.rows)
