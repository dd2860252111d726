"""A gateway on loopback, a guest before it, and a double of the outside world behind it.

The gateway reaches the double through the proxy variables of its environment, so that names are
never looked up and nothing leaves loopback.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from lab.packages.cache import FileCache
from lab.packages.gateway import Gateway
from lab.packages.sources import PackageHosts
from lab.paths import LabPaths
from lab.process.tls import ensure_authority, server_context

KEPT = "files.example"
PASSED = "modules.example"


@dataclass
class Page:
    """An answer of the outside world; `cut_at` breaks the connection after so many bytes."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: str = "200 OK"
    cut_at: int | None = None


class Outside:
    """A double of a proxy and of every server behind it; remembers what was asked of it."""

    def __init__(self, authority: LabPaths) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.connected: list[str] = []
        self._authority = authority

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer, None)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str | None
    ) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head[0].split()
            if method == "CONNECT":
                self.connected.append(target)
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                host = target.partition(":")[0]
                await writer.start_tls(server_context(self._authority, host, [host]))
                continue
            url = f"https://{host}{target}" if host else target
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            self.asked.append((method, url, headers))
            page = self.pages.get(url, Page(b"not here", status="404 Not Found"))
            answer = {"content-length": str(len(page.body))} | page.headers
            lines = [f"HTTP/1.1 {page.status}", *(f"{k}: {v}" for k, v in answer.items())]
            writer.write("\r\n".join([*lines, "", ""]).encode())
            if method == "GET":
                writer.write(page.body[: page.cut_at])
            await writer.drain()
            if page.cut_at is not None:
                return


class _ToLoopback(AbstractResolver):
    def __init__(self, ports: dict[int, int]) -> None:
        self._ports = ports

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - aiohttp passes it
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self._ports[port],
                family=socket.AF_INET,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        return


@dataclass
class Lab:
    """All three: `ports` of the gateway for HTTP and HTTPS, `get` as a guest does it."""

    gateway: Gateway
    outside: Outside
    cache: FileCache
    session: aiohttp.ClientSession
    ports: dict[int, int]
    authority: LabPaths
    outside_authority: LabPaths

    async def get(self, url: str | URL, **options: object) -> tuple[int, bytes]:
        # aiohttp resolves names through the double, but dials an address by itself.
        assert (URL(url).host or "").endswith(".example"), "only names stay on loopback"
        trusted = options.pop("trusted", self.authority)
        assert isinstance(trusted, LabPaths)
        context = ssl.create_default_context(cafile=str(trusted.ca_certificate))
        method = str(options.pop("method", "GET"))
        async with self.session.request(method, url, ssl=context, **options) as answer:  # type: ignore[arg-type]
            return answer.status, await answer.read()

    async def send(self, port: int, message: str) -> bytes:
        """All that the gateway answers to a message, sent to nowhere but its loopback socket."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[port])
        try:
            writer.write(message.encode())
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def get_raw(self, url: str) -> bytes:
        """The body of an address that must not be brought into form on its way."""
        return (await self.get(URL(url, encoded=True)))[1]


async def until(condition: Callable[[], bool]) -> None:
    """Let everything else go on until `condition` holds; five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for offers no event
            await asyncio.sleep(0.001)


def _authority(directory: Path) -> LabPaths:
    paths = LabPaths("t", directory)
    ensure_authority(paths)
    return paths


@pytest.fixture
async def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    inside, beyond = _authority(tmp_path / "lab"), _authority(tmp_path / "outside")
    outside = Outside(beyond)
    server = await asyncio.start_server(outside.serve, "127.0.0.1", 0)
    proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(beyond.ca_bundle))
    cache = FileCache(tmp_path / "cache")
    gateway = Gateway(
        PackageHosts(frozenset({KEPT}), frozenset({PASSED})),
        cache,
        lambda host: server_context(inside, host, [host]),
    )
    sockets = {port: socket.create_server(("127.0.0.1", 0)) for port in (80, 443)}
    await gateway.start([sockets[80]], [sockets[443]])
    ports = {port: bound.getsockname()[1] for port, bound in sockets.items()}
    connector = aiohttp.TCPConnector(resolver=_ToLoopback(ports), force_close=True)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        yield Lab(gateway, outside, cache, session, ports, inside, beyond)
    await gateway.close()
    server.close()
