"""The edge as a whole: sockets for the public and for connectors, certificates by name."""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from lab.cloudflare.tunnels import Tunnels
from lab.connector.peer import Handler, serve
from lab.connector.wire import Wire
from lab.edge.door import Door
from lab.edge.front import Front
from lab.edge.replicas import Replicas

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+")
_MOST_NAMES = 500
_IDLE_S = 400
_NAMELESS = "nothing-is-published-here.invalid"
Leaf = Callable[[str], ssl.SSLContext]
"""Makes the server's side of TLS for a name."""


class Edge:
    """Listens on sockets it is given, which it closes in the end."""

    def __init__(self, tunnels: Tunnels, leaf: Leaf, *, silence_s: float = 120) -> None:
        self._replicas = Replicas()
        self._tunnels = tunnels
        self._front = Front(tunnels, self._replicas, silence_s=silence_s)
        self._door = Door(tunnels, self._replicas)
        self._leaf = leaf
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._servers: list[asyncio.Server] = []
        self._serving: set[asyncio.Task[None]] = set()

    async def start(
        self,
        *,
        public: Iterable[socket.socket],
        plain: Iterable[socket.socket],
        connectors: Iterable[tuple[socket.socket, ssl.SSLContext]],
    ) -> None:
        """Answer HTTPS, HTTP, and connectors at the names that their certificates hold."""
        loop = asyncio.get_running_loop()
        context = self._context(_NAMELESS)
        context.sni_callback = self._choose
        # Listening ones with nobody's name yet come last: a connector needs no published name.
        for listening, own in connectors:
            server = await loop.create_server(
                lambda: Wire(self._door.accept), sock=listening, ssl=own
            )
            self._servers.append(server)
        for listening in public:
            await self._listen(listening, self._front.answer, context)
        for listening in plain:
            await self._listen(listening, self._front.redirect, None)

    async def close(self) -> None:
        """Send connectors and visitors away."""
        for server in self._servers:
            server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._door.close()

    def published(self) -> list[dict[str, Any]]:
        """Each public name: its tunnel, and how many connectors that has now."""
        return [
            {
                "name": name,
                "tunnel": route.tunnel,
                "connectors": 0 if route.is_foreign else len(self._replicas.of(route.tunnel)),
            }
            for name, route in sorted(self._tunnels.names().routes.items(), key=itemgetter(0))
        ]

    async def _listen(
        self, listening: socket.socket, handle: Handler, context: ssl.SSLContext | None
    ) -> None:
        def accept(wire: Wire) -> None:
            task = asyncio.create_task(serve(wire, handle, idle_s=_IDLE_S, at_the_edge=True))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Wire(accept), sock=listening, ssl=context)
        self._servers.append(server)

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name is not None and _NAME.fullmatch(name.lower()):
            connection.context = self._context(name.lower())

    def _context(self, name: str) -> ssl.SSLContext:
        if name not in self._contexts:
            if len(self._contexts) > _MOST_NAMES:
                # Whoever asks for ever new names gets them, but they are not remembered.
                return self._made(name)
            self._contexts[name] = self._made(name)
        return self._contexts[name]

    def _made(self, name: str) -> ssl.SSLContext:
        context = self._leaf(name)
        context.set_alpn_protocols(["http/1.1"])
        return context
