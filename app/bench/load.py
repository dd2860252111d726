"""A small load generator: connections that ask again as soon as they are answered."""

import asyncio
import time
from typing import cast


class Asker(asyncio.Protocol):
    """One connection. Every answer must be as long as the first, so that none needs parsing."""

    def __init__(self, request: bytes, length: int) -> None:
        self._request = request
        self._length = length
        self._got = 0
        self.answered = 0
        self.wrong: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._got == 0 and not data.startswith(b"HTTP/1.1 200"):
            self.wrong = data[:60].decode(errors="replace")
        self._got += len(data)
        if self._got >= self._length:
            self._got -= self._length
            self.answered += 1
            self._transport.write(self._request)

    def stop(self) -> None:
        self._transport.abort()


async def answer_length(port: int, request: bytes) -> int:
    """The bytes of one whole answer, head included."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    return len(head) + int(fields[b"content-length"])


async def requests_per_second(port: int, path: str, connections: int, seconds: float) -> float:
    """How many answers a second arrive on so many connections. RuntimeError if one is not 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    length = await answer_length(port, request)
    loop = asyncio.get_running_loop()
    askers = []
    for _ in range(connections):
        _, asker = await loop.create_connection(lambda: Asker(request, length), "127.0.0.1", port)
        askers.append(asker)
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    answered = sum(asker.answered for asker in askers)
    passed = time.perf_counter() - began
    for asker in askers:
        asker.stop()
        if asker.wrong:
            raise RuntimeError(f"{path} answered {asker.wrong!r}")
    return answered / passed
