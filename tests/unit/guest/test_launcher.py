"""The launcher with the real uvicorn on real sockets, as systemd would start it."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parents[3] / "infra" / "guest" / "launcher.py"
LIMIT_S = 15
APP = """
import asyncio, os, sys
OPENED = asyncio.Event()
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        FAIL
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    length = {"/slow": 40, "/endless": 10**6}.get(scope["path"], 1)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if length > 1:
        print(scope["path"], file=sys.stderr, flush=True)
    for _ in range(length):
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        if length > 1:
            await asyncio.sleep(0.025)
    await send({"type": "http.response.body", "body": b" %d" % os.getpid()})
"""


class Service:
    """A release in a directory, a listening socket, and the launcher between them."""

    def __init__(self, root: Path) -> None:
        self.release = root / "releases/one"
        (self.release / "bin").mkdir(parents=True)
        (root / "envs/key/bin").mkdir(parents=True)
        # A link would lose the packages of this environment; a script in its place keeps them.
        python = root / "envs/key/bin/python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        (self.release / ".venv").symlink_to("../../envs/key")
        (root / "current").symlink_to("releases/one")
        self.root = root
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(0)
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(str(root / "notify"))
        self.notified.settimeout(LIMIT_S)
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, fail: str = "") -> None:
        (self.release / "main.py").write_text(APP.replace("FAIL", fail))

    def start(self, *options: str) -> None:
        descriptor = self.listening.fileno()
        environment = {
            **os.environ, "LISTEN_FDS": "1", "NOTIFY_SOCKET": str(self.root / "notify"),
        }  # fmt: skip
        # systemd hands sockets over from 3 on; LISTEN_PID is its own affair.
        hand_over = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3); os.execv(sys.argv[2], sys.argv[2:])"
        )
        words = [sys.executable, "-I", str(LAUNCHER), "run", str(self.root), ".", "serve"]
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", hand_over, str(descriptor), *words, "main:app", *options],
                pass_fds=[descriptor],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def says(self, message: str) -> bool:
        return self.notified.recv(100).decode() == message

    def connect(self) -> http.client.HTTPConnection:
        host, port = self.listening.getsockname()
        return http.client.HTTPConnection(host, port, timeout=LIMIT_S)

    def until_seen(self, number: int, gone: set[str]) -> None:
        """Wait until so many processes answered, besides those that are gone."""
        seen: set[str] = set()

        def enough() -> bool:
            seen.add(self.get().split()[1])
            return len(seen - gone) == number

        until(enough)

    def get(self, path: str = "/") -> str:
        connection = self.connect()
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().read().decode()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT_S)

    def log(self) -> str:
        return (self.root / "log").read_text()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    made.write()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    made.listening.close()
    made.notified.close()


def test_it_says_ready_only_when_startup_is_complete(service: Service) -> None:
    service.write("await asyncio.sleep(0.5)")
    began = time.monotonic()
    service.start()
    assert service.says("READY=1")
    assert time.monotonic() - began >= 0.5
    assert service.get().startswith("x")


def test_a_startup_that_fails_is_a_failed_start(service: Service) -> None:
    service.write('return await send({"type": "lifespan.startup.failed", "message": "no db"})')
    service.start()
    assert service.process is not None
    assert service.process.wait(LIMIT_S) == 3
    assert "no db" in service.log()


def test_an_open_stream_ends_by_itself_and_no_client_is_refused(service: Service) -> None:
    service.start()
    assert service.says("READY=1")
    answers: list[str] = []
    first = service.process
    assert first is not None
    stream = threading.Thread(target=lambda: answers.append(service.get("/slow")))
    stream.start()
    until(lambda: "/slow" in service.log())
    first.send_signal(signal.SIGTERM)
    assert service.says("STOPPING=1")
    # The socket is systemd's: who comes now waits for the next process, and is not refused.
    waiting = threading.Thread(target=lambda: answers.append(service.get()))
    waiting.start()
    assert first.wait(LIMIT_S) == 0
    stream.join(LIMIT_S)
    assert answers == ["x" * 40 + f" {first.pid}"]
    service.start()
    waiting.join(LIMIT_S)
    assert service.process is not None
    assert answers[1] == f"x {service.process.pid}"


def test_a_kept_connection_is_told_to_close_and_an_idle_one_does_not_hold_the_stop(
    service: Service,
) -> None:
    service.start("--drain", "15")
    assert service.says("READY=1")
    idle = service.connect()
    busy = service.connect()
    for connection in (idle, busy):
        connection.request("GET", "/")
        connection.getresponse().read()
    assert service.process is not None
    began = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    assert service.says("STOPPING=1")
    busy.request("GET", "/")
    answer = busy.getresponse()
    answer.read()
    assert answer.getheader("connection") == "close"
    assert service.process.wait(LIMIT_S) == 0
    assert time.monotonic() - began < 5
    idle.close()
    busy.close()


def test_a_stream_longer_than_the_limit_is_cut_off(service: Service) -> None:
    service.start("--drain", "0.1")
    assert service.says("READY=1")
    connection = service.connect()
    with contextlib.closing(connection):
        connection.request("GET", "/endless")
        answer = connection.getresponse()
        assert answer.read(1) == b"x"
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < LIMIT_S / 2


def test_all_workers_serve_before_it_says_ready(service: Service) -> None:
    service.write(
        "for place in range(3):\n"
        "            try: os.mkdir(f'taken{place}')\n"
        "            except FileExistsError: continue\n"
        "            await asyncio.sleep(place * 0.6)\n"
        "            os.mkdir(f'started{place}')\n"
        "            break\n"
    )
    service.start("--workers", "3")
    assert service.says("READY=1")
    assert len(list(service.release.glob("started*"))) == 3
    service.until_seen(3, set())
    assert service.stop() == 0


def test_a_worker_that_dies_while_starting_fails_the_start(service: Service) -> None:
    (service.release / "first").touch()
    service.write(
        textwrap.dedent(
            """
        try:
            os.unlink("first")
        except FileNotFoundError:
            pass
        else:
            os._exit(7)
        """
        ).replace("\n", "\n        ")
    )
    service.start("--workers", "3")
    assert service.process is not None
    assert service.process.wait(LIMIT_S) == 3
    assert "ended with status 7" in service.log()
    assert "the start has failed" in service.log()


def test_a_worker_that_dies_later_is_replaced(service: Service) -> None:
    service.start("--workers", "2")
    assert service.says("READY=1")
    victim = service.get().split()[1]
    os.kill(int(victim), signal.SIGKILL)
    service.until_seen(2, {victim})
    assert service.stop() == 0


def test_a_running_process_keeps_its_release_when_current_moves_on(service: Service) -> None:
    (service.release / "late.py").write_text("NAME = 'old'\n")
    service.write("sys.path_hooks")
    code = (service.release / "main.py").read_text()
    late = 'b" %d" % os.getpid()'
    assert late in code
    new_code = code.replace(late, '__import__("late").NAME.encode()')
    (service.release / "main.py").write_text(new_code)
    service.start()
    assert service.says("READY=1")
    other = service.root / "releases/two"
    other.mkdir()
    (other / "late.py").write_text("NAME = 'new'\n")
    (service.root / "next").symlink_to("releases/two")
    (service.root / "next").rename(service.root / "current")
    assert service.get() == "xold"


def test_without_sockets_it_says_what_to_do(service: Service) -> None:
    python = service.root / "current/.venv/bin/python"
    done = subprocess.run(
        [python, LAUNCHER, "serve", "main:app"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        "no sockets were handed over: start the service through its socket unit\n"
    )
