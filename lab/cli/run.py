"""`lab run`: a command inside the lab, with an environment that points every provider at it."""

import os
from pathlib import Path
from shutil import which

from lab.errors import LabError
from lab.paths import LabPaths
from lab.process.control import ask_running


def run_inside(paths: LabPaths, stack: Path, command: list[str]) -> None:
    """Replace this process by `command`, inside the lab."""
    raise NotImplementedError
