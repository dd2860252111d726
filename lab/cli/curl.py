"""`lab curl`: a public name, asked for from outside the lab's own networks."""

import os
import sys
from shutil import which

from lab.errors import LabError
from lab.host.enter import command_inside
from lab.host.internet import VISITOR
from lab.paths import LabPaths
from lab.process.ask import ask_running


def fetch(paths: LabPaths, arguments: list[str]) -> None:
    """Replace this process by curl, with the lab's names and the lab's CA, and no proxy."""
    status = ask_running(paths, "GET", "/status")
    if not status["containers"]:
        raise LabError(
            f"lab curl: nothing is published in a lab without containers "
            f"({'; '.join(status['missing'])})"
        )
    if which("curl") is None:
        raise LabError("curl: is not installed; run: apt-get install curl")
    command = [
        "curl", "--disable", "--silent", "--show-error", "--noproxy", "*",
        "--cacert", str(paths.ca_bundle), "--interface", str(VISITOR), *arguments,
    ]  # fmt: skip
    full = command_inside(paths, command)
    sys.stdout.flush()
    os.execvp(full[0], full)  # noqa: S606 - replaces this process on purpose
