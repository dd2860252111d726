"""What is wrong with a stack file, as text for a person: path, problem, remedy."""

from collections.abc import Iterable
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to put right; `path` runs through the stack file, its parts joined with `/`."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class SettingsError(pulumi.RunError):
    """Everything that is wrong with the settings; the engine shows it without a traceback."""

    def __init__(self, stack: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = len(self.problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(
            f"the settings of stack {stack} have {count} problem{'s' * (count > 1)}, "
            f"and nothing was changed:\n{lines}"
        )


def at(*parts: str | int) -> str:
    """A path of a problem."""
    return "/".join(str(part) for part in parts)
