"""Starts the lab's process in the background and waits until it is ready."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lab.errors import LabError
from lab.paths import LabPaths
from lab.process.control import ask

_READY_WITHIN_S = 180
_LOG_TAIL_LINES = 15
_CHECKOUT = Path(__file__).resolve().parent.parent.parent


def spawn(paths: LabPaths, say: Callable[[str], None]) -> None:
    """Start the process; returns when it is ready, raises LabError with its last words."""
    with paths.log.open("ab") as log:
        started_at = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "lab.process", paths.name],
            cwd=_CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _READY_WITHIN_S
    phase = ""
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LabError(
                f"lab {paths.name}: its process ended at once (exit code {process.returncode}); "
                f"its last words:\n{_tail(paths, started_at)}"
            )
        answer = ask(paths, "GET", "/status")
        if answer is not None:
            if answer["ready"]:
                return
            if answer["phase"] != phase:
                phase = answer["phase"]
                say(phase)
        time.sleep(0.05)
    raise LabError(
        f"lab {paths.name}: not ready after {_READY_WITHIN_S} s (last: {phase or 'nothing'}); "
        f"`bin/lab logs` shows more:\n{_tail(paths, started_at)}"
    )


def _tail(paths: LabPaths, offset: int) -> str:
    text = paths.log.read_bytes()[offset:].decode(errors="replace")
    return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:])
