"""Whatever a visitor sends and a service answers passes as it is, and when it is."""

import asyncio
import io
import itertools
import json
from collections.abc import AsyncIterator

import aiohttp
import psutil
import pytest

from tests.unit.edge.ways import NAME, Connector, Lab, Origin, eventually, parsed

SIZE = 50_000_000


@pytest.fixture
async def connector(lab: Lab, origin: Origin) -> Connector:
    lab.route(origin.service())
    return await lab.connector()


@pytest.fixture
async def way(lab: Lab, connector: Connector) -> Lab:
    return lab


async def test_a_public_name_is_answered_by_the_service_behind_the_tunnel(way: Lab) -> None:
    status, text = await way.fetch("/a%20b?c=%2F&d")
    assert (status, parsed(text)["path"]) == (200, "/a%20b?c=%2F&d")


async def test_a_stream_arrives_piece_by_piece_and_not_at_its_end(way: Lab) -> None:
    loop = asyncio.get_running_loop()
    async with way.visitor() as visitor, visitor.get(way.url("/stream?every_s=0.2")) as answer:
        arrived = [(loop.time(), line) async for line in answer.content]
    assert [line for _, line in arrived] == [f"piece {n}\n".encode() for n in range(4)]
    gaps = [b - a for (a, _), (b, _) in itertools.pairwise(arrived)]
    assert min(gaps) > 0.1, gaps


async def test_the_head_of_an_answer_does_not_wait_for_its_body(way: Lab, origin: Origin) -> None:
    async with (
        asyncio.timeout(2),
        way.visitor() as visitor,
        visitor.get(way.url("/stream?every_s=9")) as answer,
    ):
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert await answer.content.readline() == b"piece 0\n"


async def test_a_websocket_passes_both_ways(way: Lab, origin: Origin) -> None:
    async with (
        way.visitor() as visitor,
        visitor.ws_connect(way.url("/ask"), protocols=("chat",)) as ws,
    ):
        assert ws.protocol == "chat"
        await ws.send_str("hello")
        assert await ws.receive_str(timeout=5) == "you said hello"
        await ws.send_bytes(bytes(range(256)) * 4000)
        assert await ws.receive_bytes(timeout=5) == (bytes(range(256)) * 4000)[::-1]
    async with asyncio.timeout(5):
        await origin.gone.wait()


async def test_50_mb_go_up_and_come_down_in_flat_memory(way: Lab, connector: Connector) -> None:
    await way.fetch("/")
    own = psutil.Process()

    def memory_mb() -> float:
        return max(connector.memory_mb() - before[0], own.memory_info().rss / 1e6 - before[1])

    before = connector.memory_mb(), own.memory_info().rss / 1e6
    most = 0.0

    async def body() -> AsyncIterator[bytes]:
        nonlocal most
        for _ in range(SIZE // 1_000_000):
            yield b"u" * 1_000_000
            most = max(most, memory_mb())

    async with way.visitor() as visitor:
        async with visitor.post(way.url("/up"), data=body()) as answer:
            assert await answer.text() == str(SIZE)
        got = 0
        async with visitor.get(way.url(f"/down?bytes={SIZE}")) as answer:
            assert answer.headers["Content-Length"] == str(SIZE)
            async for piece in answer.content.iter_any():
                got += len(piece)
                most = max(most, memory_mb())
    assert got == SIZE
    assert most < 15


async def test_a_visitor_who_reads_slowly_holds_the_service_back(
    way: Lab, connector: Connector
) -> None:
    await way.fetch("/")
    own = psutil.Process()
    before = connector.memory_mb() + own.memory_info().rss / 1e6
    async with way.visitor() as visitor, visitor.get(way.url(f"/down?bytes={SIZE}")) as answer:
        await answer.content.readexactly(100_000)
        # Long enough for all of it to have come, were nobody to hold it back.
        await asyncio.sleep(1)
        assert connector.memory_mb() + own.memory_info().rss / 1e6 - before < 15
        rest = await answer.content.readexactly(SIZE - 100_000)
    assert len(rest) == SIZE - 100_000


async def test_a_visitor_who_leaves_is_not_answered_to_the_end(way: Lab, origin: Origin) -> None:
    async with way.visitor() as visitor, visitor.get(way.url("/stream?pieces=100")) as answer:
        await answer.content.readline()
        answer.close()
    async with asyncio.timeout(5):
        await origin.gone.wait()


async def test_an_answer_that_breaks_off_does_not_look_whole(way: Lab) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await way.fetch("/broken")


async def test_100_requests_at_once_are_all_answered(way: Lab) -> None:
    async with way.visitor() as visitor:

        async def one(number: int) -> tuple[int, str]:
            async with visitor.get(way.url(f"/n/{number}")) as answer:
                return answer.status, parsed(await answer.text())["path"]

        for _ in range(2):
            answers = await asyncio.gather(*(one(number) for number in range(100)))
            assert answers == [(200, f"/n/{number}") for number in range(100)]


async def test_a_service_that_answers_before_the_end_of_a_body_is_heard(way: Lab) -> None:
    for size in (10, 20_000, 3_000_000):
        status, text = await way.fetch("/refuse", method="POST", data=io.BytesIO(b"x" * size))
        assert (status, text) == (413, "too much"), size


async def test_a_body_and_its_answer_may_be_on_their_way_at_once(way: Lab) -> None:
    sent = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await sent.wait()
        yield b" second"

    async with (
        asyncio.timeout(5),
        way.visitor() as visitor,
        visitor.post(way.url("/echo"), data=body()) as answer,
    ):
        assert await answer.content.readany() == b"first"
        sent.set()
        assert await answer.content.read() == b" second"


async def test_a_client_that_waits_for_100_is_told_to_go_on(way: Lab) -> None:
    async with asyncio.timeout(5):
        assert await way.fetch("/up", method="POST", data=b"x" * 2000, expect100=True) == (
            200,
            "2000",
        )


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_every_method_passes(way: Lab, method: str) -> None:
    async with way.visitor() as visitor:
        for _ in range(2):
            async with visitor.request(method, way.url("/x")) as answer:
                text = await answer.text()
                assert answer.status == 200
                assert method == "HEAD" or parsed(text)["method"] == method


async def test_the_service_sees_the_visitor_and_not_what_he_claims_to_be(way: Lab) -> None:
    claims = {"CF-Connecting-IP": "6.6.6.6", "X-Forwarded-Proto": "gopher", "CF-Ray": "mine",
              "X-Forwarded-For": "10.1.1.1", "Connection": "X-Secret", "X-Secret": "1"}  # fmt: skip
    _, text = await way.fetch("/", headers=claims)
    headers = parsed(text)["headers"]
    for claim in ("6.6.6.6", "gopher", "mine"):
        assert claim not in text
    assert headers["cf-connecting-ip"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"
    assert headers["x-forwarded-for"] == "10.1.1.1,127.0.0.1"
    assert headers["host"].split(":")[0] == NAME
    assert json.loads(headers["cf-visitor"]) == {"scheme": "https"}
    assert "x-secret" not in headers
    assert "expect" not in headers


async def test_an_answer_keeps_its_headers_and_names_the_edge(way: Lab) -> None:
    async with way.visitor() as visitor, visitor.get(way.url("/")) as answer:
        assert answer.headers["X-Own"] == "a b"
        assert answer.headers["Server"].startswith("cloudflare (berth lab")
        assert len(answer.headers["CF-RAY"].split("-")[0]) == 16


async def test_plain_http_is_sent_to_https(way: Lab) -> None:
    url = f"http://{NAME}:{way.plain_port}/x?y=1"
    async with way.visitor() as visitor, visitor.get(url, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/x?y=1")


async def test_connections_to_the_service_are_used_again(way: Lab, origin: Origin) -> None:
    for _ in range(10):
        await way.fetch("/")
    assert len(origin.connections) == 1


async def test_what_is_no_http_is_refused_and_harms_nobody(way: Lab) -> None:
    import ssl

    context = ssl.create_default_context(cafile=str(way.paths.ca_certificate))
    for said in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: "
                 + b"y" * 300_000):  # fmt: skip
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", way.port, ssl=context, server_hostname=NAME
        )
        writer.write(said)
        async with asyncio.timeout(5):
            assert (await reader.read()).startswith(b"HTTP/1.1 4")
        writer.close()
    assert await eventually(lambda: way.fetch("/"), "an answer to somebody else")
