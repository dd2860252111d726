"""A Cloudflare that is busy, down, or something else: asked again, then said in words."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.cloudflare.client import CannotAskCloudError, CloudClient
from infra.cloudflare.look import Cloud
from infra.guard.survey import RefusedError

SOUND = b'{"result": "sound"}'


class Answers(ThreadingHTTPServer):
    """Answers with what is left of `plan`: a status line with its headers, and a body."""

    plan: list[tuple[bytes, bytes]]


class Handler(BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        head, body = self.server.plan.pop(0)
        self.wfile.write(head + b"\r\nConnection: close\r\n\r\n" + body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def api() -> Iterator[Answers]:
    with Answers(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def client(api: Answers, waited: list[float]) -> CloudClient:
    return CloudClient(f"http://127.0.0.1:{api.server_port}/client/v4", "t" * 40, waited.append)


def answer(status: int, body: bytes = b"<html>", *headers: bytes) -> tuple[bytes, bytes]:
    return b"\r\n".join([b"HTTP/1.1 %d Words" % status, *headers]), body


def test_a_busy_api_is_asked_again(api: Answers, client: CloudClient, waited: list[float]) -> None:
    api.plan = [answer(429, b"", b"Retry-After: 3"), answer(500), answer(200, SOUND)]
    assert client.get("zones") == "sound"
    assert waited == [3.0, 1.0]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "Cloudflare answered 500: Words; look at https://www.cloudflarestatus.com, and try"),
        (429, "Cloudflare answered 429: Words; too much was asked with this token: wait five"),
        (400, "Cloudflare answered 400: Words"),
    ],
)
def test_an_api_that_stays_so_is_refused_in_words(
    api: Answers, client: CloudClient, status: int, said: str
) -> None:
    api.plan = [answer(status)] * 20
    cloud = Cloud(client)
    for ask in (cloud.tunnel("a", "t"), cloud.zone("x.org", "a")):
        with pytest.raises(RefusedError) as refused:
            asyncio.get_event_loop().run_until_complete(ask)
        assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    "given",
    [
        (b"no HTTP at all", b""),
        answer(200, b"<html>"),
        answer(200, b"[]"),
        answer(200, b"{}", b"Content-Length: 100"),
    ],
)
def test_what_is_no_api_of_cloudflare_is_said(
    api: Answers, client: CloudClient, given: tuple[bytes, bytes]
) -> None:
    api.plan = [given]
    with pytest.raises(CannotAskCloudError, match="answers, but not as Cloudflare's API does"):
        client.get("zones")


def test_an_error_without_a_number_is_an_error(api: Answers, client: CloudClient) -> None:
    api.plan = [answer(401, b'{"errors": [{"code": "none", "message": "who are you"}]}')]
    with pytest.raises(CannotAskCloudError, match=r"refuses it for GET zones \(401 who are you\)"):
        client.get("zones")
