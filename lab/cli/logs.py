"""`lab logs`: the end of the process's log, and what is added to it."""

import os

from lab.errors import LabError
from lab.paths import LabPaths


def print_log(paths: LabPaths, *, lines: int, follow: bool) -> None:
    """Hand over to tail, which does just this."""
    if not paths.log.exists():
        raise LabError(f"lab {paths.name}: has no log; start it with `bin/lab up`")
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), str(paths.log)]
    os.execvp(command[0], command)  # noqa: S606 - replaces this process on purpose
