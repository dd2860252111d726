"""What stands for the rest of the world: Cloudflare and Tailscale, the edge, connector packages."""

import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from aiohttp import web

from lab.cloudflare.app import PREFIX, TUNNELS
from lab.cloudflare.names import Names
from lab.connector.repository.app import repository
from lab.connector.repository.key import signing_key
from lab.edge.edge import Edge
from lab.host import internet
from lab.host.enter import namespace_file
from lab.host.namespaces import open_socket_in
from lab.paths import LabPaths
from lab.process.tls import server_context

CLOUDFLARE_URL = f"https://{internet.CLOUDFLARE[0]}{PREFIX}"
TAILSCALE_URL = f"https://{internet.TAILSCALE[0]}"
_logger = logging.getLogger("lab.internet")


@dataclass(frozen=True)
class Clouds:
    """The two services' APIs, as applications that are not running yet."""

    cloudflare: web.Application
    tailscale: web.Application


async def serve_app(
    app: web.Application,
    stack: AsyncExitStack,
    *places: tuple[socket.socket, ssl.SSLContext | None],
) -> None:
    """Let an application answer on listening sockets, until `stack` ends."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    for listening, context in places:
        await web.SockSite(runner, listening, ssl_context=context).start()


class Internet:
    """In a lab with containers: at addresses and names of its own in the lab's namespace."""

    def __init__(self, paths: LabPaths) -> None:
        self._paths = paths
        self._edge: Edge | None = None
        self._public: Callable[[], Names] = lambda: Names({}, ())

    async def start(self, clouds: Clouds, stack: AsyncExitStack) -> None:
        """Answer, until `stack` ends."""
        for app, (name, address) in (
            (clouds.cloudflare, internet.CLOUDFLARE),
            (clouds.tailscale, internet.TAILSCALE),
        ):
            await serve_app(app, stack, (self._listen(address, 443), self._leaf(name)))
        name, address = internet.CONNECTOR_PACKAGES
        await serve_app(
            repository(signing_key(self._paths)),
            stack,
            (self._listen(address, 443), self._leaf(name)),
            (self._listen(address, 80), None),
        )
        await self._start_edge(clouds, stack)

    async def _start_edge(self, clouds: Clouds, stack: AsyncExitStack) -> None:
        tunnels = clouds.cloudflare[TUNNELS]
        edge = Edge(tunnels, lambda name: self._leaf(name, kind="edge"))
        stack.push_async_callback(edge.close)
        own = server_context(self._paths, "connectors", internet.CONNECTORS)
        await edge.start(
            public=[self._listen(internet.EDGE, 443)],
            plain=[self._listen(internet.EDGE, 80)],
            connectors=[
                (self._listen(address, internet.CONNECTOR_PORT), own)
                for address in internet.CONNECTORS.values()
            ],
        )
        self._edge, self._public = edge, tunnels.names
        _logger.info("the edge answers at %s", internet.EDGE)

    def names(self) -> dict[str, list[IPv4Address]]:
        """Every name outside: the fixed ones, and those that are published now.

        A name that has other records is there without an address, so that no wildcard is for it.
        """
        fixed = {name: [address] for name, address in internet.NAMES.items()}
        public = self._public()
        published = {name: [internet.EDGE] for name in public.routes}
        return {name: [] for name in public.taken} | published | fixed

    def facts(self) -> dict[str, Any]:
        """For `lab status`."""
        return {
            "edge": str(internet.EDGE),
            "published": self._edge.published() if self._edge is not None else [],
        }

    def _listen(self, address: IPv4Address, port: int) -> socket.socket:
        return open_socket_in(namespace_file(self._paths), str(address), port)

    def _leaf(self, name: str, *, kind: str = "internet") -> ssl.SSLContext:
        return server_context(self._paths, f"{kind}-{name}", [name])
