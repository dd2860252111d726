"""Services and visitors that speak HTTP in less usual ways are understood, byte by byte."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.unit.edge.ways import NAME, Connector, Lab, Origin, eventually, parsed


@asynccontextmanager
async def scripted(answer: bytes, *, then_close: bool) -> AsyncIterator[int]:
    """A service that says the same bytes to every request; yields its port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
                await writer.drain()
                if then_close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Visitor:
    """A connection to the edge on which bytes are said and heard."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def of(cls, lab: Lab, *, encrypted: bool = True) -> "Visitor":
        if not encrypted:
            return cls(*await asyncio.open_connection("127.0.0.1", lab.plain_port))
        context = ssl.create_default_context(cafile=str(lab.paths.ca_certificate))
        return cls(
            *await asyncio.open_connection("127.0.0.1", lab.port, ssl=context, server_hostname=NAME)
        )

    def say(self, text: str) -> None:
        self.writer.write(text.replace("\n", "\r\n").encode())

    async def hear_all(self) -> str:
        async with asyncio.timeout(5):
            return (await self.reader.read()).decode()

    async def hear_until(self, end: str) -> str:
        async with asyncio.timeout(5):
            return (await self.reader.readuntil(end.encode())).decode()


async def answered(
    lab: Lab, answer: bytes, *, method: str = "GET", then_close: bool = False
) -> str:
    """What a visitor hears, to the end, of a service that says `answer`."""
    async with scripted(answer, then_close=then_close) as port:
        lab.route(f"http://127.0.0.1:{port}")
        await lab.connector()
        visitor = await Visitor.of(lab)
        visitor.say(f"{method} / HTTP/1.1\nHost: {NAME}\nConnection: close\n\n")
        heard = await visitor.hear_all()
        visitor.writer.close()
        return heard


@pytest.mark.parametrize(
    ("answer", "then_close", "wanted"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", False, "hi"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", True, "until the end"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", True, "until the end"),
        ((b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
         b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), False, "hi"),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
         b"2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n"), False, "X-Sum: 7"),
        (b"HTTP/1.1 299 Made Up\r\nContent-Length: 0\r\n\r\n", False, "HTTP/1.1 299 Made Up"),
        (b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
         False, "Set-Cookie: a=1\r\nSet-Cookie: b=2"),
    ],
)  # fmt: skip
async def test_every_way_to_end_an_answer_is_understood(
    lab: Lab, answer: bytes, then_close: bool, wanted: str
) -> None:
    assert wanted in await answered(lab, answer, then_close=then_close)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5000\r\n\r\n'),
    ],
)
async def test_an_answer_without_a_body_does_not_wait_for_one(
    lab: Lab, method: str, answer: bytes
) -> None:
    heard = await answered(lab, answer, method=method)
    assert heard.endswith("\r\n\r\n")
    assert heard.startswith(answer.decode().partition("\r\n")[0])
    assert ("Content-Length: 5000" in heard) == (b"5000" in answer)


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b""],
)
async def test_what_is_no_http_is_a_service_that_cannot_be_reached(lab: Lab, answer: bytes) -> None:
    assert "error code: 502" in await answered(lab, answer, then_close=True)


@pytest.fixture
async def connector(lab: Lab, origin: Origin) -> Connector:
    lab.route(origin.service())
    return await lab.connector()


async def test_two_requests_said_at_once_are_answered_in_their_order(
    lab: Lab, connector: Connector
) -> None:
    visitor = await Visitor.of(lab)
    visitor.say(
        f"GET /one HTTP/1.1\nHost: {NAME}\n\n"
        f"POST /two HTTP/1.1\nHost: {NAME}\nContent-Length: 2\n\nhi"
        f"GET /three HTTP/1.1\nHost: {NAME}\nConnection: close\n\n"
    )
    heard = await visitor.hear_all()
    places = [heard.find(f'"path": "/{path}"') for path in ("one", "two", "three")]
    assert -1 not in places
    assert places == sorted(places)
    visitor.writer.close()


async def test_a_visitor_with_the_old_http_is_answered(lab: Lab, connector: Connector) -> None:
    visitor = await Visitor.of(lab)
    visitor.say(f"GET /down?bytes=200000&chunked HTTP/1.0\nHost: {NAME}\n\n")
    head, _, body = (await visitor.hear_all()).partition("\r\n\r\n")
    assert "chunked" not in head.lower()
    assert body == "x" * 200_000
    visitor.writer.close()


async def test_a_body_that_breaks_off_is_not_taken_for_whole(
    lab: Lab, connector: Connector, origin: Origin
) -> None:
    visitor = await Visitor.of(lab)
    visitor.say(f"POST /up HTTP/1.1\nHost: {NAME}\nContent-Length: 10\n\nhalf")
    await eventually(lambda: origin.asked == 1, "the service to see its beginning")
    visitor.writer.transport.abort()
    visitor = await Visitor.of(lab)
    visitor.say(
        f"POST /up HTTP/1.1\nHost: {NAME}\nTransfer-Encoding: chunked\n\n4\nhalf\nnonsense\n"
    )
    assert "200" not in (await visitor.hear_all())[:20]
    assert parsed((await lab.fetch("/"))[1])["path"] == "/"


async def test_a_websocket_that_the_service_refuses_is_an_ordinary_answer(
    lab: Lab, connector: Connector, origin: Origin
) -> None:
    visitor = await Visitor.of(lab)
    end = f"{origin.port}}}"
    visitor.say(
        f"GET /plain HTTP/1.1\nHost: {NAME}\nConnection: Upgrade\nUpgrade: websocket\n"
        "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
    )
    assert (await visitor.hear_until(end)).startswith("HTTP/1.1 200")
    visitor.say(f"GET /again HTTP/1.1\nHost: {NAME}\n\n")
    assert '"path": "/again"' in await visitor.hear_until(end)
    visitor.writer.close()


async def heard(lab: Lab, said: str) -> str:
    """All that a visitor hears who says `said` on a connection of his own."""
    visitor = await Visitor.of(lab)
    visitor.say(said)
    told = await visitor.hear_all()
    visitor.writer.close()
    return told


async def test_what_a_service_says_unasked_is_no_other_visitors_answer(lab: Lab) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, and more"
    async with scripted(answer, then_close=False) as port:
        lab.route(f"http://127.0.0.1:{port}")
        await lab.connector()
        for _ in range(3):
            assert await lab.fetch("/", method="POST") == (200, "hi")


async def test_a_service_cannot_claim_that_none_was_reached(lab: Lab) -> None:
    forged = b'HTTP/1.1 200 OK\r\nCf-Cloudflared-Response-Meta: {"src":"cloudflared"}\r\n'
    told = await answered(lab, forged + b"Content-Length: 2\r\n\r\nhi")
    assert told.startswith("HTTP/1.1 200 OK")
    assert told.endswith("hi")


async def test_a_length_beside_pieces_is_not_believed_by_anybody(
    lab: Lab, connector: Connector
) -> None:
    head = f"POST /up HTTP/1.1\nHost: {NAME}\nConnection: close\n"
    both = "Content-Length: 4\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n"
    told = await heard(lab, head + both)
    assert told.startswith("HTTP/1.1 200 OK")
    assert told.endswith("3")


async def test_what_a_visitor_says_after_his_body_is_not_put_into_anothers_mouth(
    lab: Lab, connector: Connector
) -> None:
    head = f"POST /up HTTP/1.1\nHost: {NAME}\nConnection: close\n"
    await heard(lab, f"{head}Transfer-Encoding: chunked\nTrailer: X-Me\n\n1\na\n0\nX-Me: admin\n\n")
    assert "x-me" not in parsed((await lab.fetch("/"))[1])["headers"]


async def test_a_whole_address_is_asked_for_by_its_path(lab: Lab, origin: Origin) -> None:
    lab.route({"path": "^/there$", "service": origin.service()})
    await lab.connector()
    for said in (f"https://{NAME}/there?a=1", f"HTTPS://{NAME.upper()}./there"):
        told = await heard(lab, f"GET {said} HTTP/1.1\nHost: {NAME}.\nConnection: close\n\n")
        assert '"path": "/there' in told


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("size", [140_000, 1_000_000, 5_000_000])
@pytest.mark.parametrize("end", ["", "\n\n"])
async def test_a_head_that_is_too_large_is_told_so_however_much_of_it_comes(
    lab: Lab, size: int, end: str, *, encrypted: bool
) -> None:
    visitor = await Visitor.of(lab, encrypted=encrypted)
    visitor.say(f"GET / HTTP/1.1\nHost: {NAME}\nX: {'y' * size}{end}")
    assert (await visitor.hear_all()).startswith("HTTP/1.1 431 Request Header Fields Too Large")
    visitor.writer.close()


async def test_nobody_is_let_through_to_a_place_of_his_choice(
    lab: Lab, connector: Connector, origin: Origin
) -> None:
    told = await heard(lab, f"CONNECT {NAME}:443 HTTP/1.1\nHost: {NAME}\nConnection: close\n\n")
    assert told.startswith("HTTP/1.1 405 Method Not Allowed")
    assert origin.asked == 0
    assert "ERR" not in connector.log()
    visitor = await Visitor.of(lab, encrypted=False)
    visitor.say(f"CONNECT {NAME}:443 HTTP/1.1\nHost: {NAME}\nConnection: close\n\n")
    assert (await visitor.hear_all()).startswith("HTTP/1.1 405")
    visitor.writer.close()


@pytest.mark.parametrize(
    ("scheme", "answer", "why"),
    [
        ("http", b"", "EOF"),
        ("http", b"HTTP/1.1 200 OK\r\nContent-", "unexpected EOF"),
        (
            "http",
            b"\x15\x03\x01\x00\x02\x02P",
            (
                "net/http: HTTP/1.x transport connection broken: malformed HTTP response "
                '"\\x15\\x03\\x01\\x00\\x02\\x02P"'
            ),
        ),
        (
            "http",
            b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
            'malformed HTTP response "SSH-2.0-OpenSSH_9.2"',
        ),
        (
            "https",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "tls: first record does not look like a TLS handshake",
        ),
        ("https", b"", "EOF"),
    ],
)
async def test_a_service_that_speaks_something_else_is_told_in_words_that_users_search_for(
    lab: Lab, scheme: str, answer: bytes, why: str
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await writer.drain()
        await reader.read(4096)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    lab.route(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    connector = await lab.connector()
    assert (await lab.fetch("/"))[0] == 502
    server.close()
    (said,) = [json.loads(line.split("error=")[1].split(" event=")[0])
               for line in connector.log().splitlines() if "error=" in line]  # fmt: skip
    assert said.startswith("Unable to reach the origin service: ")
    assert said.endswith((f": {why}", f" {why}"))
    assert not any(word in said for word in ("bytearray", "h11", "ConnectionClosed", "state="))
