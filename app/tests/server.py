"""A real server process on a real socket of 127.0.0.1, and its log."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

HERE = Path(__file__).resolve().parent.parent
UVICORN = (sys.executable, "-m", "uvicorn", "app:app", "--port", "0")
LIMIT_S = 15.0
SETTINGS = {"PORT", "CORS_ORIGINS", "LOG_LEVEL", "DELAY_MS", "MAX_MESSAGE_BYTES", "DRAIN_LIMIT_S"}

Found = TypeVar("Found")


def environment(settings: dict[str, str]) -> dict[str, str]:
    """The environment of this process with these settings and no others."""
    plain = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return plain | {"PYTHONUNBUFFERED": "1"} | settings


def wait_for(look: Callable[[], Found | None], what: str, limit_s: float = LIMIT_S) -> Found:
    """What `look` finds, as soon as it is something."""
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {limit_s} s")
        time.sleep(0.01)
    return found


class Server:
    """A process that serves, and the lines it has written so far."""

    def __init__(
        self, command: tuple[str, ...], settings: dict[str, str], stdin: socket.socket | None
    ) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=stdin.fileno() if stdin else subprocess.DEVNULL,
            cwd=HERE,
            env=environment(settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def ready(self) -> Self:
        """Wait until it listens."""

        def listening() -> re.Match[str] | None:
            if self.process.poll() is not None:
                raise RuntimeError("the server ended: " + "\n".join(self.lines))
            found = (re.search(r"running on http://[\d.]+:(\d+)", line) for line in self.lines)
            return next(filter(None, found), None)

        self.port = int(wait_for(listening, "the server listens")[1])
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self.lines) if line.startswith("{")]

    def logged(self, **fields: object) -> dict[str, Any]:
        """Wait for the log line that has all these fields."""

        def look() -> dict[str, Any] | None:
            return next((line for line in self.log if fields.items() <= line.items()), None)

        return wait_for(look, f"a log line with {fields}")

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)

    def memory_kib(self, field: str) -> int:
        """`VmRSS` (now) or `VmHWM` (the most so far) of the server process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(rf"{field}:\s+(\d+) kB", status)
        assert match
        return int(match[1])

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end of the process; its exit code."""
        code = self.process.wait(LIMIT_S)
        self._reader.join(LIMIT_S)
        return code

    def close(self) -> None:
        """End the process and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.ended()
        assert self.process.stdout
        self.process.stdout.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def served(
    command: tuple[str, ...] = UVICORN, *, stdin: socket.socket | None = None, **settings: str
) -> Iterator[Server]:
    server = Server(command, settings, stdin)
    try:
        yield server.ready()
    finally:
        server.close()


def end_of(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a server that is expected to end by itself."""
    return subprocess.run(
        command,
        cwd=HERE,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
