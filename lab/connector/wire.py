"""One connection: bytes as they come, and patience with whoever reads slowly.

What came before the other side broke off can still be read. Standard library only.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import cast

_WAITING_BYTES = 256 * 1024
"""How much may have come unread before the other side has to wait."""


class Wire(asyncio.Protocol):
    """A connection; `made` is called with it once it is there."""

    def __init__(self, made: Callable[["Wire"], None] | None = None) -> None:
        self._made = made
        self._transport: asyncio.Transport | None = None
        self._come: list[bytes] = []
        self._size = 0
        self._reading_paused = False
        self._reader: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.ended = False
        self.lost = False
        self.on_lost: Callable[[], object] | None = None
        """Called once, when nothing can be sent any more."""

    @property
    def has_unread(self) -> bool:
        """Whether something has come that was not read yet."""
        return bool(self._come)

    async def read(self) -> bytes:
        """What has come, at least one byte; nothing once the other side has ended."""
        while not self._come:
            if self.ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        data = self._come[0] if len(self._come) == 1 else b"".join(self._come)
        self._come.clear()
        self._size = 0
        if self._reading_paused and not self.ended:
            self._reading_paused = False
            self._there().resume_reading()
        return data

    async def read_line(self, limit_bytes: int) -> bytes:
        """Up to the next line feed, without it. ConnectionError where there is none."""
        line = b""
        while b"\n" not in line:
            if len(line) > limit_bytes:
                raise ConnectionError(f"a line of more than {limit_bytes} bytes")
            data = await self.read()
            if not data:
                raise ConnectionError("the connection ended")
            line += data
        line, _, rest = line.partition(b"\n")
        if rest:
            self._come.insert(0, rest)
            self._size += len(rest)
        return line

    async def discard(self, *, quiet_s: float, limit_s: float) -> None:
        """Take what still comes, until nothing does for `quiet_s`.

        A connection that is closed with unread input is reset, and what was sent last may be lost.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                data = b"-"
                while data:
                    async with asyncio.timeout(quiet_s):
                        data = await self.read()

    async def write(self, data: bytes) -> None:
        """Send; waits while too much is on its way. ConnectionResetError when it is lost."""
        if self.lost:
            raise ConnectionResetError("the connection is lost")
        self._there().write(data)
        if not self._writable.is_set():
            await self._writable.wait()
            if self.lost:
                raise ConnectionResetError("the connection is lost")

    def close(self) -> None:
        """Send what is left, then end."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End at once: the other side must not take it for an end in order."""
        if self._transport is not None:
            self._transport.abort()

    def peer_address(self) -> str:
        """Where the other side is: an address, `unknown` where it has none."""
        place = self._there().get_extra_info("peername")
        return str(place[0]) if isinstance(place, tuple) else "unknown"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._made is not None:
            self._made(self)

    def data_received(self, data: bytes) -> None:
        self._come.append(data)
        self._size += len(data)
        if self._size > _WAITING_BYTES and not self._reading_paused:
            self._reading_paused = True
            self._there().pause_reading()
        self._wake_reader()

    def eof_received(self) -> bool:
        self.ended = True
        self._wake_reader()
        return False

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.ended = self.lost = True
        self._writable.set()
        self._wake_reader()
        if self.on_lost is not None:
            self.on_lost()

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _there(self) -> asyncio.Transport:
        if self._transport is None:
            raise RuntimeError("used before it was connected")
        return self._transport
