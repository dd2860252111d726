"""What the tests of the edge stand on: the edge itself, connectors, services, a visitor."""

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from lab.cloudflare.connector_token import ConnectorToken
from lab.cloudflare.state import DnsRecord, State, Store, TunnelRecord
from lab.cloudflare.tunnels import Tunnels
from lab.edge.edge import Edge
from lab.paths import LabPaths
from lab.process.tls import ensure_authority, server_context
from lab.world.cloudflare import Account, Cloudflare, Zone

ACCOUNT, TUNNEL, SECRET = "a" * 32, "11111111-2222-4333-8444-555555555555", "c2VjcmV0"
NAME = "chat.example.org"
WORLD = Cloudflare(
    accounts={"home": Account(id=ACCOUNT), "other": Account(id="b" * 32)},
    zones={"example.org": Zone(account="home"), "other.test": Zone(account="other")},
)
CHECKOUT = Path(__file__).resolve().parents[3]
NOWHERE = "http_status:404"


def bound() -> socket.socket:
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    listening.settimeout(0)
    return listening


def port_of(listening: socket.socket) -> int:
    number: int = listening.getsockname()[1]
    return number


async def eventually(
    look: Callable[[], Awaitable[Any] | Any], what: str, limit_s: float = 10
) -> Any:
    """The first answer that is not false; fails with `what` when the limit is over."""
    deadline = asyncio.get_running_loop().time() + limit_s
    while True:
        found = look()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, f"in vain: {what}"
        await asyncio.sleep(0.02)


@dataclass
class Connector:
    """The stand-in as a process of its own."""

    process: asyncio.subprocess.Process
    probes: str
    lines: list[str] = field(default_factory=list)

    def log(self) -> str:
        return "".join(self.lines)

    async def ready(self) -> dict[str, Any] | None:
        """What /ready says when it says 200."""
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{self.probes}/ready") as answer,
            ):
                said: dict[str, Any] = await answer.json(content_type=None)
                return said if answer.status == 200 else None
        except aiohttp.ClientError:
            return None

    async def text(self, path: str) -> str:
        async with aiohttp.ClientSession() as session, session.get(self.probes + path) as answer:
            return await answer.text()

    def memory_mb(self) -> float:
        size: int = psutil.Process(self.process.pid).memory_info().rss
        return size / 1e6

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class Lab:
    """The edge, and what is published on it."""

    def __init__(self, directory: Path, stack: AsyncExitStack) -> None:
        self.paths = LabPaths("edge", directory)
        self._stack = stack
        ensure_authority(self.paths)
        self.store = Store(directory / "cloudflare.json", State(started_on="2026-01-01T00:00:00Z"))
        self.tunnels = Tunnels(self.store, WORLD)
        self.store.state.tunnels[TUNNEL] = TunnelRecord(
            id=TUNNEL, account=ACCOUNT, name="lab", secret=SECRET, config_src="cloudflare",
            created_at="2026-01-01T00:00:00Z",
        )  # fmt: skip
        self.publish(NAME)
        self.public, self.plain, self.door = bound(), bound(), bound()
        self.port, self.plain_port = port_of(self.public), port_of(self.plain)
        self.door_port = port_of(self.door)
        self.edge = self.made_edge()

    def made_edge(self, **settings: Any) -> Edge:
        return Edge(
            self.tunnels, lambda name: server_context(self.paths, "leaf", [name]), **settings
        )

    async def start(self) -> None:
        own = server_context(self.paths, "door", ["127.0.0.1"])
        await self.edge.start(
            public=[self.public], plain=[self.plain], connectors=[(self.door, own)]
        )

    async def restart(self, **settings: Any) -> None:
        """As after the lab's process was killed: the same ports, nothing remembered."""
        await self.edge.close()
        self.edge = self.made_edge(**settings)
        self.public, self.plain, self.door = (
            socket.create_server(("127.0.0.1", port), backlog=512)
            for port in (self.port, self.plain_port, self.door_port)
        )
        for listening in (self.public, self.plain, self.door):
            listening.settimeout(0)
        await self.start()

    def publish(self, name: str, tunnel: str = TUNNEL, *, zone: str = "example.org") -> None:
        self.record(name, "CNAME", f"{tunnel}.cfargotunnel.com", zone=zone, proxied=True)

    def record(
        self, name: str, kind: str, content: str, *, zone: str = "example.org", proxied: bool
    ) -> None:
        self.store.state.records[name] = DnsRecord(
            id=name, zone=WORLD.zone_id(zone), type=kind, name=name, content=content,
            ttl=1, proxied=proxied, created_on="2026-01-01T00:00:00Z",
            modified_on="2026-01-01T00:00:00Z",
        )  # fmt: skip

    def route(self, *rules: dict[str, Any] | str, **common: Any) -> None:
        """Configure the tunnel; a text is a catch-all. A last rule is added where there is none."""
        ingress = [{"service": r} if isinstance(r, str) else r for r in rules]
        if "hostname" in ingress[-1] or "path" in ingress[-1]:
            ingress.append({"service": NOWHERE})
        tunnel = self.store.state.tunnels[TUNNEL]
        tunnel.config = {"ingress": ingress, "originRequest": common}
        tunnel.config_version += 1
        self.tunnels.changed(TUNNEL)

    @property
    def token(self) -> str:
        return ConnectorToken(ACCOUNT, TUNNEL, SECRET).text()

    async def connector(self, *flags: str, wait: bool = True, **environment: str) -> Connector:
        """Start the stand-in as a process, and wait until it is connected."""
        free = bound()
        port = port_of(free)
        free.close()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lab.connector", "tunnel", "--no-autoupdate",
            "--edge", f"127.0.0.1:{self.door_port}", "--cacert", str(self.paths.ca_certificate),
            "--metrics", f"127.0.0.1:{port}", *flags, "run",
            cwd=CHECKOUT, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "TUNNEL_TOKEN": self.token, **environment},
        )  # fmt: skip
        made = Connector(process, f"http://127.0.0.1:{port}")

        async def keep() -> None:
            assert process.stderr is not None
            async for line in process.stderr:
                made.lines.append(line.decode())

        keeping = asyncio.create_task(keep())
        self._stack.push_async_callback(made.kill)
        self._stack.callback(keeping.cancel)
        if wait:
            await eventually(made.ready, "the connector to be connected")
        return made

    def visitor(self, **options: Any) -> aiohttp.ClientSession:
        """Somebody outside, who knows the lab's names and trusts its CA."""
        context = ssl.create_default_context(cafile=str(self.paths.ca_certificate))
        connector = aiohttp.TCPConnector(resolver=_Here(), ssl=context, limit=0)
        return aiohttp.ClientSession(connector=connector, **options)

    def url(self, path: str, name: str = NAME) -> URL:
        return URL(f"https://{name}:{self.port}{path}", encoded=True)

    async def fetch(self, path: str, name: str = NAME, **request: Any) -> tuple[int, str]:
        """One request of a visitor's own: status and text."""
        method = request.pop("method", "GET")
        async with (
            self.visitor() as visitor,
            visitor.request(method, self.url(path, name), **request) as answer,
        ):
            return answer.status, await answer.text()


class _Here(AbstractResolver):
    """Every name is this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Holds nothing."""


@asynccontextmanager
async def running_lab(directory: Path) -> AsyncIterator[Lab]:
    async with AsyncExitStack() as stack:
        lab = Lab(directory, stack)
        await lab.start()
        try:
            yield lab
        finally:
            await lab.edge.close()


class Origin:
    """A service with an answer for everything that a way could spoil."""

    def __init__(self) -> None:
        self.listening = bound()
        self.port = port_of(self.listening)
        self.asked = 0
        self.connections: set[int] = set()
        self.gone = asyncio.Event()
        self.go_on = asyncio.Event()
        self._runner: web.AppRunner | None = None

    def service(self, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}"

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        app = web.Application(client_max_size=100 * 1024**2, middlewares=[self._count])
        app.add_routes(
            [
                web.get("/stream", self._stream),
                web.get("/ask", self._ask),
                web.post("/up", self._up),
                web.get("/down", self._down),
                web.get("/broken", self._broken),
                web.get("/slow", self._slow),
                web.post("/once", self._slow),
                web.post("/refuse", self._refuse),
                web.post("/echo", self._echo),
                web.route("*", "/{any:.*}", self._any),
            ]
        )
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=0,
            keepalive_timeout=75,
            handler_cancellation=True,
        )
        await self._runner.setup()
        await web.SockSite(self._runner, self.listening, ssl_context=context).start()

    async def stop(self) -> None:
        self.go_on.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def start_again(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.listening.settimeout(0)
        await self.start()

    @web.middleware
    async def _count(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked += 1
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername")[1])
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _any(self, request: web.Request) -> web.Response:
        said = {
            "path": request.raw_path, "method": request.method,
            "headers": [[k, v] for k, v in request.headers.items()], "port": self.port,
        }  # fmt: skip
        return web.json_response(said, headers={"X-Own": "a b", "Server": "the-origin"})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.content_type = "text/event-stream"
        try:
            await answer.prepare(request)
            for number in range(100):
                await answer.write(f"piece {number}\n".encode())
                await asyncio.sleep(float(request.query.get("every_s", "0.1")))
                if number + 1 == int(request.query.get("pieces", "4")):
                    break
        except (asyncio.CancelledError, ConnectionResetError):
            self.gone.set()
            raise
        return answer

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        socket_ = web.WebSocketResponse(protocols=("chat",))
        await socket_.prepare(request)
        async for message in socket_:
            if message.type == aiohttp.WSMsgType.TEXT:
                await socket_.send_str(f"you said {message.data}")
            elif message.type == aiohttp.WSMsgType.BINARY:
                await socket_.send_bytes(message.data[::-1])
        self.gone.set()
        return socket_

    async def _up(self, request: web.Request) -> web.Response:
        size = 0
        async for piece in request.content.iter_any():
            size += len(piece)
        return web.Response(text=str(size))

    async def _down(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        size = int(request.query["bytes"])
        if "chunked" not in request.query:
            answer.content_length = size
        await answer.prepare(request)
        while size:
            piece = min(size, 100_000)
            await answer.write(b"x" * piece)
            size -= piece
        return answer

    async def _broken(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.content_length = 1000
        await answer.prepare(request)
        await answer.write(b"only the beginning")
        assert request.transport is not None
        # Not aborted: that may take back what was written.
        request.transport.close()
        return answer

    async def _slow(self, _: web.Request) -> web.Response:
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.gone.set()
            raise
        return web.Response(text="at last")

    async def _refuse(self, _: web.Request) -> web.Response:
        return web.Response(status=413, text="too much")

    async def _echo(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        async for piece in request.content.iter_any():
            await answer.write(piece)
        return answer


@asynccontextmanager
async def running_origin(context: ssl.SSLContext | None = None) -> AsyncIterator[Origin]:
    origin = Origin()
    await origin.start(context)
    try:
        yield origin
    finally:
        await origin.stop()


async def terminate(connector: Connector) -> int:
    """As systemd does; the exit code."""
    connector.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(40):
        return await connector.process.wait()


def parsed(text: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(text)
    return {**said, "headers": {k.lower(): v for k, v in said["headers"]}}
