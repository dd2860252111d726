"""Whatever a visitor sends and a service answers passes as it is, and when it is."""

import asyncio

import aiohttp
import pytest

from tests.unit.edge.ways import NAME, Lab, Origin, eventually, parsed


@pytest.fixture
async def way(lab: Lab, origin: Origin) -> Lab:
    lab.route(origin.service())
    await lab.connector()
    return lab


async def test_a_public_name_is_answered_by_the_service_behind_the_tunnel(way: Lab) -> None:
    status, text = await way.fetch("/a%20b?c=%2F&d")
    assert (status, parsed(text)["path"]) == (200, "/a%20b?c=%2F&d")


async def test_a_stream_arrives_piece_by_piece_and_not_at_its_end(way: Lab) -> None:
    loop = asyncio.get_running_loop()
    arrived = []
    async with way.visitor() as visitor, visitor.get(way.url("/stream?every_s=0.2")) as answer:
        headers_at = loop.time()
        async for line in answer.content:
            arrived.append((line, loop.time()))
    assert [line for line, _ in arrived] == [f"piece {n}\n".encode() for n in range(4)]
    gaps = [b - a for (_, a), (_, b) in zip(arrived, arrived[1:], strict=False)]
    assert min(gaps) > 0.1, gaps
    assert headers_at < arrived[1][1]


async def test_a_websocket_passes_both_ways(way: Lab) -> None:
    async with (
        way.visitor() as visitor,
        visitor.ws_connect(way.url("/ask"), protocols=("chat",)) as ws,
    ):
        assert ws.protocol == "chat"
        await ws.send_str("hello")
        assert await ws.receive_str(timeout=5) == "you said hello"
        await ws.send_bytes(bytes(range(256)) * 4000)
        assert await ws.receive_bytes(timeout=5) == (bytes(range(256)) * 4000)[::-1]
