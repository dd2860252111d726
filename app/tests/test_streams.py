"""Many streams at once on one worker: all whole, none slow because of the others."""

import asyncio
import time
from typing import Any

from app.chat import PLACEHOLDER_TEXT
from tests.server import served, wait_for

STREAMS = 500
BODY = b'{"message":"hello"}'
REQUEST = (
    b"POST /api/chat HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


def text_of(answer: bytes) -> str:
    """The body of a chunked answer; only its last chunk shows that it is whole."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body.endswith(b"\r\n0\r\n\r\n")
    return b"".join(body.split(b"\r\n")[1:-3:2]).decode()


async def ask(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    answer = await reader.read()
    writer.close()
    return text_of(answer)


def test_500_streams_at_once_are_all_whole_and_nearly_as_fast_as_one() -> None:
    async def ask_all(port: int) -> list[str]:
        return await asyncio.gather(*(ask(port) for _ in range(STREAMS)))

    with served(DELAY_MS="80") as server:
        began = time.monotonic()
        texts = asyncio.run(ask_all(server.port))
        took = time.monotonic() - began
        assert texts == [PLACEHOLDER_TEXT] * STREAMS
        alone = 0.08 * (len(PLACEHOLDER_TEXT.split()) - 1)
        assert took < 4 * alone

        def all_logged() -> list[dict[str, Any]] | None:
            lines = [line for line in server.log if line.get("path") == "/api/chat"]
            return lines if len(lines) >= STREAMS else None

        lines = wait_for(all_logged, "a line for each stream")
        assert len(lines) == STREAMS
        assert len({line["request_id"] for line in lines}) == STREAMS
        assert not [line for line in server.log if line["level"] != "info"]
