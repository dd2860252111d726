"""Starts the lab's process in the background and waits until it is ready."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

from lab.errors import LabError
from lab.paths import CHECKOUT, LabPaths
from lab.process.ask import ask
from lab.process.life import claimed, lives

_READY_WITHIN_S = 180
_LOG_TAIL_LINES = 15
_POLL_S = 0.05


def spawn(paths: LabPaths, say: Callable[[str], None]) -> None:
    """Start the process; returns when it is ready, raises LabError with its last words."""
    with claimed(paths) as held, paths.log.open("ab") as log:
        started_at = log.tell()
        if held is not None:
            subprocess.Popen(
                [sys.executable, "-m", "lab.process", paths.name],
                cwd=CHECKOUT,
                env={**os.environ, **paths.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(held.fileno(),),
            )
    wait_ready(paths, say, log_from=started_at)


def wait_ready(paths: LabPaths, say: Callable[[str], None], *, log_from: int = 0) -> None:
    """Wait for a process that is starting, whoever started it."""
    deadline = time.monotonic() + _READY_WITHIN_S
    phase = ""
    while time.monotonic() < deadline:
        alive = lives(paths)
        answer = ask(paths, "GET", "/status")
        if answer is not None:
            if answer["ready"]:
                return
            if answer["phase"] != phase:
                phase = answer["phase"]
                say(phase)
        elif not alive:
            raise LabError(
                f"lab {paths.name}: its process ended before it was ready; "
                f"its last words:\n{_tail(paths, log_from)}"
            )
        time.sleep(_POLL_S)
    raise LabError(
        f"lab {paths.name}: not ready after {_READY_WITHIN_S} s (last: {phase or 'nothing'}); "
        f"`bin/lab logs` shows more, `bin/lab down` removes it:\n{_tail(paths, log_from)}"
    )


def _tail(paths: LabPaths, offset: int) -> str:
    text = paths.log.read_bytes()[offset:].decode(errors="replace")
    return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:])
