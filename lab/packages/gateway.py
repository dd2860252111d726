"""The way of the guests to packages: sockets in the lab, connections outside, no route between."""

import asyncio
import base64
import contextlib
import logging
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import SplitResult, unquote, urlsplit

from aiohttp import web

from lab.packages.cache import FileCache
from lab.packages.forward import Counters, Forwarder, proxy_for
from lab.packages.hello import read_hello
from lab.packages.sources import PackageHosts

log = logging.getLogger(__name__)

_ACCESS_DENIED = b"\x15\x03\x03\x00\x02\x02\x31"
"""A fatal TLS alert, in the clear as a server sends it before anything is agreed."""
_HELLO_WITHIN_S = 30
_CONNECT_WITHIN_S = 30
_CHUNK = 256 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[Streams], Awaitable[None]]


class Gateway:
    """Listens on sockets it is given; each is one it did not open itself.

    `leaf` makes the server's side of TLS for one of `hosts.kept`: connections to those end here,
    so that files can be kept. All others are passed on unread. Setting `enabled` to False closes
    every connection and each new one at once.
    """

    def __init__(
        self, hosts: PackageHosts, cache: FileCache, leaf: Callable[[str], ssl.SSLContext]
    ) -> None:
        self.counters = Counters()
        self._hosts = hosts
        self._leaf = leaf
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._forwarder = Forwarder(hosts.all, cache, self.counters)
        self._http = web.Server(self._forwarder.handle)
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._enabled = True

    @property
    def enabled(self) -> bool:
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._enabled = value
        if not value:
            for connection in self._connections:
                connection.cancel()

    @property
    def open_connections(self) -> int:
        """How many guests are connected now."""
        return len(self._connections)

    async def start(
        self, plain: Iterable[socket.socket], encrypted: Iterable[socket.socket]
    ) -> None:
        """Answer on listening sockets for HTTP and for HTTPS."""
        for serve, sockets in ((self._plain, plain), (self._encrypted, encrypted)):
            for listening in sockets:
                accept = partial(self._accept, serve)
                self._servers.append(await asyncio.start_server(accept, sock=listening))

    async def close(self) -> None:
        """Close the sockets and every connection."""
        self.enabled = False
        for server in self._servers:
            server.close()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._http.shutdown(timeout=0)
        await self._forwarder.close()

    def _accept(
        self, serve: Serve, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if not self._enabled:
            _reset(writer)
            return
        connection = asyncio.create_task(self._serve(serve, (reader, writer)))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, serve: Serve, guest: Streams) -> None:
        try:
            await serve(guest)
        except (OSError, TimeoutError, ssl.SSLError) as error:
            log.info("packages: connection ended: %s", error)
        except asyncio.CancelledError:
            _reset(guest[1])
            raise
        finally:
            guest[1].transport.abort()

    async def _plain(self, guest: Streams) -> None:
        async with self._inside(None) as server:
            await _relay(guest, server)

    async def _encrypted(self, guest: Streams) -> None:
        async with asyncio.timeout(_HELLO_WITHIN_S):
            hello, name = await read_hello(guest[0])
        if name in self._hosts.kept:
            if name not in self._contexts:
                self._contexts[name] = self._leaf(name)
            async with self._inside(self._contexts[name]) as server:
                server[1].write(hello)
                await _relay(guest, server)
        elif name in self._hosts.passed:
            async with _outside(name) as server:
                self.counters.passed_through += 1
                server[1].write(hello)
                await _relay(guest, server)
        else:
            self.counters.refused += 1
            log.info("packages: refused: %s:443 is no package host of this machine", name)
            guest[1].write(_ACCESS_DENIED)
            await guest[1].drain()
            guest[1].close()
            await guest[1].wait_closed()

    @asynccontextmanager
    async def _inside(self, context: ssl.SSLContext | None) -> AsyncIterator[Streams]:
        """The HTTP server of this process, which takes a connection from a socket pair."""
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        theirs.settimeout(0)
        loop = asyncio.get_running_loop()
        accepted = loop.create_task(loop.connect_accepted_socket(self._http, theirs, ssl=context))
        accepted.add_done_callback(_log_failed_handshake)
        _, writer = streams = await asyncio.open_connection(sock=ours)
        try:
            yield streams
        finally:
            accepted.cancel()
            writer.transport.abort()


@asynccontextmanager
async def _outside(host: str) -> AsyncIterator[Streams]:
    """The real host, through the machine's own proxy where it has one."""
    proxy = proxy_for(host, "https")
    parts = urlsplit(proxy) if proxy else None
    async with asyncio.timeout(_CONNECT_WITHIN_S):
        if parts is None or parts.hostname is None:
            streams = await asyncio.open_connection(host, 443)
        else:
            streams = await asyncio.open_connection(parts.hostname, parts.port or 80)
            await _connect_through(streams, host, parts)
    try:
        yield streams
    finally:
        streams[1].transport.abort()


async def _connect_through(streams: Streams, host: str, proxy: SplitResult) -> None:
    reader, writer = streams
    login = ""
    if proxy.username is not None:
        pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        login = f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
    writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n{login}\r\n".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if answer.split()[1:2] != [b"200"]:
        writer.transport.abort()
        raise ConnectionRefusedError(f"the proxy did not connect to {host}: {answer[:80]!r}")


async def _relay(guest: Streams, server: Streams) -> None:
    """Copy both ways until the server has ended and the guest has everything."""
    upwards = asyncio.create_task(_send_up(guest[0], server[1]))
    try:
        await _copy(server[0], guest[1])
        guest[1].close()
        await guest[1].wait_closed()
    finally:
        upwards.cancel()
        await asyncio.gather(upwards, return_exceptions=True)


async def _send_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A guest that has nothing more to send may still wait for its answer."""
    try:
        await _copy(reader, writer)
        writer.write_eof()
    except OSError:
        # The guest is gone: its server need not go on.
        writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset: nobody takes it for the end of a file."""
    if (connection := writer.get_extra_info("socket")) is not None:
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def _log_failed_handshake(accepted: asyncio.Task[object]) -> None:
    if not accepted.cancelled() and (error := accepted.exception()) is not None:
        log.info("packages: a guest broke TLS off; does it trust the lab's CA? %s", error)
