"""The stop: readiness turns false, open streams finish, the process ends, within a limit."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from app import Settings, create_app
from app.chat import PLACEHOLDER_TEXT
from app.journal import request_id
from tests.server import UVICORN, Server, free_port, served, wait_for

LAUNCHER = (
    sys.executable,
    "-c",
    "import asyncio, uvicorn as u; asyncio.run(u.Server(u.Config('app:app', port=0)).serve())",
)


class Stream:
    """A chat that is read in a thread from its first chunk on."""

    def __init__(self, server: Server) -> None:
        self.text = ""
        self.started = threading.Event()
        self.status = 0
        self._url = f"{server.url}/api/chat"

    def read(self) -> str:
        with httpx.stream(
            "POST", self._url, json={"message": "hello"}, timeout=15, trust_env=False
        ) as response:
            self.status = response.status_code
            for text in response.iter_text():
                self.text += text
                self.started.set()
        return self.text


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def open_stream(threads: ThreadPoolExecutor, server: Server) -> tuple[Stream, Future[str]]:
    stream = Stream(server)
    reading = threads.submit(stream.read)
    assert stream.started.wait(10)
    return stream, reading


def health(server: Server) -> httpx.Response:
    return httpx.get(f"{server.url}/healthz", trust_env=False)


@pytest.mark.parametrize(
    ("command", "number"),
    [(UVICORN, signal.SIGTERM), (UVICORN, signal.SIGINT), (LAUNCHER, signal.SIGTERM)],
    ids=["uvicorn", "interrupted", "launcher"],
)
def test_a_stop_lets_open_streams_finish_and_says_meanwhile_that_it_is_not_ready(
    threads: ThreadPoolExecutor, command: tuple[str, ...], number: int
) -> None:
    with served(command, DELAY_MS="20") as server:
        _, reading = open_stream(threads, server)
        assert health(server).status_code == 200
        server.stop(number)
        server.logged(message="draining", open_requests=1)
        answer = health(server)
        assert not reading.done()
        assert answer.status_code == 503
        assert answer.json() == {"status": "draining", "live": True, "ready": False}
        assert answer.headers["Connection"] == "close"
        assert reading.result(10) == PLACEHOLDER_TEXT
        server.ended()
        assert "Traceback" not in "\n".join(server.lines)


def test_each_of_several_workers_finishes_its_streams(threads: ThreadPoolExecutor) -> None:
    command = (*UVICORN, "--port", str(free_port()), "--workers", "2")
    with served(command, DELAY_MS="20") as server:
        wait_for(
            lambda: "\n".join(server.lines).count("Application startup complete") == 2,
            "both workers have started",
        )
        reading = [open_stream(threads, server)[1] for _ in range(4)]
        server.stop()
        assert {future.result(10) for future in reading} == {PLACEHOLDER_TEXT}
        assert server.ended() == 0


def test_a_request_that_still_comes_while_draining_is_served(
    threads: ThreadPoolExecutor,
) -> None:
    with served(DELAY_MS="20") as server:
        open_stream(threads, server)
        server.stop()
        server.logged(message="draining")
        _, late = open_stream(threads, server)
        assert late.result(10) == PLACEHOLDER_TEXT
        server.ended()


def test_a_service_without_open_requests_stops_at_once() -> None:
    with served(DRAIN_LIMIT_S="3600") as server, httpx.Client(trust_env=False) as idle:
        assert idle.get(f"{server.url}/healthz").status_code == 200
        server.stop()
        assert server.process.wait(2) == -signal.SIGTERM


def test_a_stream_that_outlasts_the_limit_is_cut_off_and_the_log_says_so(
    threads: ThreadPoolExecutor,
) -> None:
    with served(DELAY_MS="2000", DRAIN_LIMIT_S="1") as server:
        _, reading = open_stream(threads, server)
        server.stop()
        with pytest.raises(httpx.RemoteProtocolError):
            reading.result(10)
        server.ended()
        line = server.logged(path="/api/chat")
        assert line["aborted_by"] == "stop"
        assert "Traceback" not in "\n".join(server.lines)


def test_an_upload_that_never_ends_does_not_hold_up_the_stop() -> None:
    with served(DRAIN_LIMIT_S="1") as server, server.connect() as connection:
        connection.sendall(
            b"POST /api/chat HTTP/1.1\r\nHost: x\r\nX-Request-Id: slow\r\n"
            b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
        health(server)
        server.stop()
        server.logged(message="draining", open_requests=1)
        answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"x-request-id: slow" in answer
        server.ended()


def test_half_a_request_line_does_not_hold_up_the_stop() -> None:
    with served(DRAIN_LIMIT_S="3600") as server, server.connect() as connection:
        connection.sendall(b"GET /heal")
        server.stop()
        server.process.wait(5)


def test_a_second_interrupt_ends_it_at_once(threads: ThreadPoolExecutor) -> None:
    with served(DELAY_MS="5000") as server:
        _, reading = open_stream(threads, server)
        server.stop(signal.SIGINT)
        server.logged(message="draining")
        server.stop(signal.SIGINT)
        server.process.wait(3)
        with pytest.raises(httpx.RemoteProtocolError):
            reading.result(10)


def test_an_interrupt_at_the_keyboard_drains_although_the_supervisor_passes_on_another_signal(
    threads: ThreadPoolExecutor,
) -> None:
    command = (sys.executable, "-m", "app", "--reload")
    with served(command, DELAY_MS="60", PORT=str(free_port())) as server:
        server.logged(message="Application startup complete.")
        stream, reading = open_stream(threads, server)
        os.killpg(server.process.pid, signal.SIGINT)
        server.logged(message="draining", open_requests=1)
        while "Replace" not in stream.text:
            assert health(server).status_code == 503
        assert reading.result(10) == PLACEHOLDER_TEXT
        server.ended()


def test_the_same_order_to_stop_given_twice_is_obeyed_as_if_given_once(
    threads: ThreadPoolExecutor,
) -> None:
    """systemd tells every process of a unit, and a supervisor tells its workers once more."""
    with served(DELAY_MS="20") as server:
        stream, reading = open_stream(threads, server)
        server.stop()
        server.logged(message="draining")
        server.stop()
        while "Replace" not in stream.text:
            assert health(server).status_code == 503
        assert reading.result(10) == PLACEHOLDER_TEXT
        server.ended()


def test_the_line_about_draining_is_not_taken_for_that_of_a_request() -> None:
    """A signal may arrive while the handler of some request runs."""

    async def told_while_a_request_is_handled() -> str | None:
        loop = asyncio.get_running_loop()
        seen: asyncio.Future[str | None] = loop.create_future()
        app = create_app(Settings())
        app.state.draining.begin = lambda: seen.set_result(request_id.get())
        async with app.router.lifespan_context(app):
            request_id.set("somebody-elses")
            signal.raise_signal(signal.SIGTERM)
            return await asyncio.wait_for(seen, 5)

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        assert asyncio.run(told_while_a_request_is_handled()) is None
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_launcher_can_drain_without_a_signal(threads: ThreadPoolExecutor) -> None:
    launcher = """
import asyncio, contextlib, sys, uvicorn
from app import app

async def main():
    server = uvicorn.Server(uvicorn.Config(app, port=0))
    server.capture_signals = contextlib.nullcontext
    serving = asyncio.create_task(server.serve())
    await asyncio.to_thread(sys.stdin.readline)
    app.state.draining.begin()
    await app.state.draining.wait()
    server.should_exit = True
    await serving

asyncio.run(main())
"""
    read, write = socket.socketpair()
    with read, write, served((sys.executable, "-c", launcher), stdin=read, DELAY_MS="20") as server:
        _, reading = open_stream(threads, server)
        write.sendall(b"stop\n")
        server.logged(message="draining", open_requests=1)
        assert health(server).status_code == 503
        assert reading.result(10) == PLACEHOLDER_TEXT
        assert server.ended() == 0


def test_signals_that_nobody_handles_are_left_alone() -> None:
    async def handler_while_serving() -> object:
        app = create_app(Settings())
        async with app.router.lifespan_context(app):
            return signal.getsignal(signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert asyncio.run(handler_while_serving()) == signal.SIG_DFL


def test_the_servers_own_handlers_are_put_back() -> None:
    async def stopped() -> tuple[int, bool]:
        passed_on: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def of_the_server(number: int, _frame: object) -> None:
            passed_on.set_result(number)

        before = signal.signal(signal.SIGTERM, of_the_server)
        try:
            app = create_app(Settings())
            async with app.router.lifespan_context(app):
                signal.raise_signal(signal.SIGTERM)
                number = await asyncio.wait_for(passed_on, 5)
            return number, signal.getsignal(signal.SIGTERM) is of_the_server
        finally:
            signal.signal(signal.SIGTERM, before)

    assert asyncio.run(stopped()) == (signal.SIGTERM, True)
