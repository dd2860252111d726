"""Every response has an id, and every log line that a request caused has the same one."""

import json
import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.server import Server, served

FRONT_END = "http://localhost:5173"
# The service with three more routes: one logs, one logs in a thread, one breaks.
EXTENDED = """
import logging, uvicorn
from fastapi import WebSocket
from fastapi.responses import StreamingResponse
from app import app

log = logging.getLogger("shop")

@app.get("/logs/{number}")
async def logs(number: int):
    log.info("in the handler %d", number)

@app.get("/threads")
def threads():
    log.warning("in a thread\\nof the handler")

@app.get("/breaks")
async def breaks():
    raise ValueError("broken")

@app.websocket("/socket")
async def socket_that_logs(connection: WebSocket):
    await connection.accept()
    log.info("connected")
    await connection.close()

@app.get("/breaks-late")
async def breaks_late():
    async def parts():
        yield "begin"
        raise ValueError("broken late")
    return StreamingResponse(parts())

uvicorn.run(app, port=0, log_config=None)
"""
# One that says where it listens although it logs errors only.
EXTENDED_ON_A_PORT = EXTENDED.replace(
    "uvicorn.run(app, port=0",
    """import socket
listener = socket.create_server(("127.0.0.1", 0))
print("running on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
uvicorn.run(app, log_level="info", fd=listener.fileno()""",
)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/healthz", {}, 200),
        ("HEAD", "/healthz", {}, 200),
        ("GET", "/", {}, 200),
        ("GET", "/docs", {}, 200),
        ("GET", "/openapi.json", {}, 200),
        ("GET", "/static/chat.js", {}, 200),
        ("GET", "/static/nothing.js", {}, 404),
        ("GET", "/static/../settings.py", {}, 404),
        ("GET", "/nothing", {}, 404),
        ("GET", "/api/chat", {}, 405),
        ("DELETE", "/healthz", {}, 405),
        ("POST", "/api/chat", {"json": {"message": "hello"}}, 200),
        ("POST", "/api/chat", {"json": {}}, 422),
        ("POST", "/api/chat", {"content": b"x" * 10_241}, 413),
        ("POST", "/nothing", {"content": b"x" * 10_241}, 413),
        (
            "OPTIONS",
            "/api/chat",
            {"headers": {"Origin": FRONT_END, "Access-Control-Request-Method": "POST"}},
            200,
        ),
        (
            "OPTIONS",
            "/api/chat",
            {"headers": {"Origin": "http://evil", "Access-Control-Request-Method": "POST"}},
            400,
        ),
    ],
)
def test_every_response_has_an_id_and_one_line_in_the_log_has_it_too(
    service: Server,
    client: httpx.Client,
    method: str,
    path: str,
    options: dict[str, object],
    status: int,
) -> None:
    response = client.request(method, path, **options)  # type: ignore[arg-type]
    assert response.status_code == status
    identity = response.headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", identity)
    line = service.logged(request_id=identity)
    assert line.items() >= {"method": method, "status": status, "level": "info"}.items()
    assert line["path"] == response.request.url.path
    assert line["duration_ms"] > 0
    assert line["client"] == "127.0.0.1"
    assert "aborted" not in line
    assert len([line for line in service.log if line.get("request_id") == identity]) == 1
    if status >= 400 and method != "OPTIONS":
        assert response.json()["request_id"] == identity


@pytest.mark.parametrize("sent", ["abc", "a" * 128, "0b6e-4_A.z"])
def test_a_well_formed_id_of_the_client_is_kept(
    service: Server, client: httpx.Client, sent: str
) -> None:
    response = client.get("/healthz", headers={"X-Request-Id": sent})
    assert response.headers["X-Request-Id"] == sent
    service.logged(request_id=sent)


@pytest.mark.parametrize("sent", ["", "a" * 129, "a b", 'a"b', "a\tb", "<b>", "a;b", "ä", "a,b"])
def test_any_other_id_is_replaced(client: httpx.Client, sent: str) -> None:
    response = client.get("/healthz", headers=[(b"X-Request-Id", sent.encode())])
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-Id"])


def test_two_ids_are_no_id(client: httpx.Client) -> None:
    headers = [("X-Request-Id", "first"), ("X-Request-Id", "second")]
    response = client.get("/healthz", headers=headers)
    assert response.headers.get_list("X-Request-Id") != ["first"]
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-Id"])


def test_a_path_cannot_forge_a_log_line_or_fill_the_log(
    service: Server, client: httpx.Client
) -> None:
    client.get('/%0a{"level":"forged"}%1b[31m', headers={"X-Request-Id": "forger"})
    line = service.logged(request_id="forger")
    assert line["path"] == '/\n{"level":"forged"}\x1b[31m'
    client.get("/" + "x" * 20_000, headers={"X-Request-Id": "talker"})
    assert len(service.logged(request_id="talker")["path"]) == 1000
    assert not [line for line in service.log if line["level"] == "forged"]


def test_what_follows_the_question_mark_is_not_logged(
    service: Server, client: httpx.Client
) -> None:
    client.get("/healthz?token=hidden", headers={"X-Request-Id": "asker"})
    service.logged(request_id="asker")
    assert "hidden" not in "\n".join(service.lines)


def test_the_whole_log_is_json_lines_from_start_to_end() -> None:
    with served() as server:
        httpx.get(f"{server.url}/healthz", trust_env=False)
        server.stop()
        server.ended()
    lines = [json.loads(line) for line in server.lines]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert len([line for line in lines if line.get("path") == "/healthz"]) == 1


def test_a_quieter_log_level_leaves_out_what_went_well_and_keeps_what_did_not() -> None:
    with served((sys.executable, "-c", EXTENDED_ON_A_PORT), LOG_LEVEL="error") as server:
        httpx.get(f"{server.url}/healthz", trust_env=False)
        httpx.get(f"{server.url}/breaks", trust_env=False)
        server.logged(path="/breaks")
    assert {line["level"] for line in server.log} == {"error"}


@pytest.fixture(scope="module")
def extended() -> Iterator[Server]:
    with served((sys.executable, "-c", EXTENDED)) as server:
        yield server


def test_lines_that_a_handler_logs_carry_the_id_of_their_request(
    extended: Server, client: httpx.Client
) -> None:
    begin = threading.Barrier(8)

    def ask(number: int) -> None:
        begin.wait(10)
        for turn in range(5):
            identity = f"asked-{number}-{turn}"
            client.get(
                f"{extended.url}/logs/{number}",
                headers={"X-Request-Id": identity},
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    for number in range(8):
        for turn in range(5):
            line = extended.logged(request_id=f"asked-{number}-{turn}", logger="shop")
            assert line["message"] == f"in the handler {number}"


def test_a_handler_in_a_thread_logs_one_line_with_the_id(extended: Server) -> None:
    httpx.get(f"{extended.url}/threads", headers={"X-Request-Id": "thread"}, trust_env=False)
    line = extended.logged(request_id="thread", logger="shop")
    assert line.items() >= {"level": "warning", "message": "in a thread\nof the handler"}.items()


def test_an_unexpected_error_is_told_to_the_log_and_not_to_the_client(extended: Server) -> None:
    headers = {"X-Request-Id": "broke", "Origin": FRONT_END}
    response = httpx.get(f"{extended.url}/breaks", headers=headers, trust_env=False)
    assert response.status_code == 500
    assert response.json() == {"detail": "Internal server error.", "request_id": "broke"}
    assert response.headers["X-Request-Id"] == "broke"
    assert response.headers["Access-Control-Allow-Origin"] == FRONT_END
    told = extended.logged(request_id="broke", logger="app.errors")
    assert told["exception"].endswith("ValueError: broken")
    line = extended.logged(request_id="broke", logger="app.request")
    assert line.items() >= {"status": 500, "level": "error"}.items()
    assert "broken" not in "\n".join(
        text for text in extended.lines if '"request_id":"broke"' not in text
    )


def test_an_error_in_the_middle_of_a_stream_does_not_look_like_its_end(extended: Server) -> None:
    url, headers = f"{extended.url}/breaks-late", {"X-Request-Id": "broke-late"}
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url, headers=headers, trust_env=False)
    line = extended.logged(request_id="broke-late", logger="app.request")
    assert line.items() >= {"aborted_by": "error", "level": "error"}.items()
    told = extended.logged(request_id="broke-late", logger="uvicorn.error")
    assert "ValueError: broken late" in told["exception"]


@pytest.mark.parametrize(("path", "status"), [("/healthz", 403), ("/socket", 101)])
def test_a_websocket_is_a_request_too(extended: Server, path: str, status: int) -> None:
    identity = f"upgraded-{status}"
    with extended.connect() as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: {identity}\r\n".encode()
            + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        answer, end = b"", {403: b"}", 101: b"\r\n\r\n"}[status]
        while end not in answer:
            part = connection.recv(10_000)
            assert part, answer
            answer += part.lower()
        assert answer.startswith(b"http/1.1 %d " % status)
        assert answer.count(b"x-request-id: " + identity.encode()) == 1
    line = extended.logged(request_id=identity, logger="app.request")
    assert line.items() >= {"method": "GET", "path": path, "status": status}.items()
    told = [line for line in extended.log if f"WebSocket {path}" in line["message"]]
    assert [line["request_id"] for line in told] == [identity]
    if status == 403:
        assert b'"detail":"no websocket' in answer
    else:
        extended.logged(request_id=identity, logger="shop", message="connected")


@pytest.mark.parametrize("path", ["/static/%2e%2e/settings.py", "/static/..%2fsettings.py"])
def test_nothing_outside_of_the_pages_is_served(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
