"""Too much is refused before it is read, whatever the client claims, and memory stays flat."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse

import httpx
import pytest
from starlette.types import Message

from app import Settings, create_app
from app.size_guard import SizeGuard
from tests.server import Server, served, wait_for

LIMIT = 10_240
MEBIBYTE = 1024 * 1024
HEAD = b"POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


def message_of(body_bytes: int) -> bytes:
    frame = b'{"message":""}'
    return frame[:-2] + b"x" * (body_bytes - len(frame)) + frame[-2:]


def in_chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413)])
def test_the_limit_itself_is_let_in_and_one_byte_more_is_not(
    client: httpx.Client, size: int, status: int, *, chunked: bool
) -> None:
    body = message_of(size)
    response = client.post(
        "/api/chat",
        content=in_chunks(body) if chunked else body,
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == status
    if status == 413:
        problem = response.json()
        assert problem["detail"] == f"The request body is larger than {LIMIT} bytes."
        assert problem["request_id"] == response.headers["X-Request-Id"]
        assert response.headers["Connection"] == "close"


def test_bytes_are_counted_and_not_characters(client: httpx.Client) -> None:
    body = '{"message":"' + "€" * 4000 + '"}'  # 4000 characters, 12000 bytes
    response = client.post(
        "/api/chat", content=body.encode(), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 413


def test_the_setting_is_the_limit() -> None:
    with served(MAX_MESSAGE_BYTES="20", DELAY_MS="0") as server:
        answers = [
            httpx.post(
                f"{server.url}/api/chat",
                content=message_of(size),
                headers={"Content-Type": "application/json"},
                trust_env=False,
            )
            for size in (20, 21)
        ]
    assert [answer.status_code for answer in answers] == [200, 413]


def test_a_claim_of_too_much_is_refused_before_the_first_byte(service: Server) -> None:
    with service.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 10241\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "length", [b"9" * 30, b"00000000000000000000000000010241", b"18446744073709551617"]
)
def test_an_absurd_claim_is_refused(service: Server, length: bytes) -> None:
    with service.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: " + length + b"\r\n\r\n")
        assert connection.recv(1000)[9:12] in {b"400", b"413"}


def test_what_is_sent_beyond_a_small_claim_is_not_taken_for_the_message(service: Server) -> None:
    body = message_of(30)
    with service.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 30\r\n\r\n" + body + b"y" * 20_000)
        answer = connection.makefile("rb").read()
    # It is no second request either: the server refuses it and closes.
    assert answer.count(b"HTTP/1.1 400 ") == 1
    assert b"yyy" not in answer


def test_a_server_that_passes_on_more_than_was_claimed_is_not_believed() -> None:
    sent: list[Message] = []
    left = [b"x" * 6_000] * 4

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/chat",
        "headers": [(b"content-length", b"10"), (b"content-type", b"application/json")],
    }
    asyncio.run(SizeGuard(create_app(Settings()), LIMIT)(scope, receive, send))
    assert sent[0]["status"] == 413


def test_a_claim_beside_chunks_cannot_hide_their_size(service: Server) -> None:
    with service.connect() as connection:
        connection.sendall(
            HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK
        )
        assert connection.recv(1000)[9:12] in {b"400", b"413"}


def push(connection: socket.socket, total: int) -> int:
    """Send chunks until so many bytes are sent or the server stops it; the bytes sent."""
    sent = 0
    try:
        while sent < total:
            connection.sendall(CHUNK)
            sent += len(CHUNK)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent


def test_the_answer_comes_while_the_client_is_still_sending(service: Server) -> None:
    with service.connect() as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")
        began = time.monotonic()
        sent = push(connection, 100 * MEBIBYTE)
        assert time.monotonic() - began < 5
    assert sent < 20 * MEBIBYTE  # the buffers of both sockets hold some


def test_memory_stays_flat_while_100_megabytes_are_pushed_ten_times_at_once() -> None:
    with served() as server:
        httpx.get(f"{server.url}/healthz", trust_env=False)
        before = server.memory_kib("VmRSS")

        def push_100_megabytes(head: bytes) -> int:
            with server.connect() as connection:
                connection.sendall(HEAD + head)
                push(connection, 100 * MEBIBYTE)
                return 0

        heads = [b"Transfer-Encoding: chunked\r\n\r\n", b"Content-Length: 104857600\r\n\r\n"] * 5
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(push_100_megabytes, heads))
        assert server.memory_kib("VmHWM") - before < 16 * 1024
        wait_for(
            lambda: sum(line.get("status") == 413 for line in server.log) == 10,
            "a line for each refused upload",
        )


def test_a_client_that_sends_all_before_it_reads_still_gets_the_answer(
    client: httpx.Client,
) -> None:
    for size in (LIMIT + 1, 50_000, 200_000):
        for body in (message_of(size), in_chunks(message_of(size))):
            assert client.post("/api/chat", content=body).status_code == 413


def test_a_refused_client_may_send_the_little_that_it_has_left(service: Server) -> None:
    piece = b"x" * 1000
    with service.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 15000\r\n\r\n")
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.status == 413
        answer.read()
        for _ in range(15):
            connection.sendall(piece)
        assert connection.recv(1) == b""  # an orderly end, and no reset on the way


def test_a_refused_client_that_stays_is_let_go(service: Server) -> None:
    with service.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 99999\r\nX-Request-Id: stays\r\n\r\n")
        began = time.monotonic()
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 413 ")
        assert time.monotonic() - began < 5
    service.logged(request_id="stays", status=413)


def test_others_are_served_while_somebody_pushes(service: Server, client: httpx.Client) -> None:
    stop = threading.Event()

    def keep_pushing() -> None:
        while not stop.is_set():
            with service.connect() as connection:
                connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
                push(connection, 16 * MEBIBYTE)

    with ThreadPoolExecutor(2) as pool:
        pushing = [pool.submit(keep_pushing) for _ in range(2)]
        try:
            slowest = 0.0
            for _ in range(50):
                began = time.monotonic()
                answer = client.get("/healthz")
                slowest = max(slowest, time.monotonic() - began)
                assert answer.status_code == 200
        finally:
            stop.set()
        for future in pushing:
            future.result()
    assert slowest < 2
