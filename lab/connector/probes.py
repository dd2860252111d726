"""The metrics address: whether it is connected, its figures, its configuration."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import h11

from lab.connector.peer import Peer, serve
from lab.connector.service import Service
from lab.connector.wire import Wire

DEFAULT_PORTS = range(20241, 20246)
"""Tried in turn where no address is given, then any port."""


class Probes:
    """What the metrics address answers; `connections` counts those to the edge now."""

    def __init__(self, connector: str, service: Service, connections: Callable[[], int]) -> None:
        self._connector = connector
        self._service = service
        self._connections = connections
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self, address: str) -> str:
        """Listen at `HOST:PORT`, or at the first default that is free; returns where. OSError or
        ValueError where it cannot.
        """
        if address:
            host, colon, port = address.rpartition(":")
            if not colon or port.endswith("]"):
                raise ValueError(f"listen tcp: address {address}: missing port in address")
            host = host.strip("[]")
            bound = socket.create_server(
                (host, int(port or 0)),
                family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            )
        else:
            bound = _first_free()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Wire(self._accept), sock=bound)
        place = bound.getsockname()
        return f"{place[0]}:{place[1]}"

    async def close(self) -> None:
        """Stop answering."""
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, wire: Wire) -> None:
        task = asyncio.create_task(serve(wire, self._answer, idle_s=10))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _answer(self, peer: Peer, request: h11.Request) -> None:
        path = request.target.partition(b"?")[0]
        if path == b"/ready":
            await self._ready(peer)
        elif path == b"/healthcheck":
            await peer.answer(200, "OK\n")
        elif path == b"/metrics":
            await peer.answer(200, self._metrics())
        elif path == b"/config":
            said = {"version": self._service.version, "config": self._service.config}
            await peer.answer(200, _json(said))
        else:
            await peer.answer(404, "404 page not found\n")

    async def _ready(self, peer: Peer) -> None:
        count = self._connections()
        status = 200 if count else 503
        said = {"status": status, "readyConnections": count, "connectorId": self._connector}
        await peer.answer(status, _json(said))

    def _metrics(self) -> str:
        figures = self._service.figures
        lines = [
            *_figure("tunnel_ha_connections", "gauge", self._connections()),
            *_figure("tunnel_total_requests", "counter", figures.total),
            *_figure("tunnel_request_errors", "counter", figures.errors),
            *_figure("tunnel_concurrent_requests_per_tunnel", "gauge", self._service.active),
            *_figure("orchestration_config_version", "gauge", self._service.version),
            "# TYPE cloudflared_tunnel_response_by_code counter",
        ]
        lines += [
            f'cloudflared_tunnel_response_by_code{{status_code="{code}"}} {count}'
            for code, count in sorted(figures.by_code.items())
        ]
        return "\n".join(lines) + "\n"


def _figure(name: str, kind: str, value: int) -> list[str]:
    full = f"cloudflared_{name}"
    return [f"# TYPE {full} {kind}", f"{full} {value}"]


def _json(said: dict[str, Any]) -> str:
    return json.dumps(said, separators=(",", ":")) + "\n"


def _first_free() -> socket.socket:
    for port in DEFAULT_PORTS:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            continue
    return socket.create_server(("127.0.0.1", 0))
