"""What a tunnel's connectors are to do, and which of them are connected."""

from itertools import groupby

from lab.cloudflare.call import Call, Request
from lab.cloudflare.core import Core
from lab.cloudflare.errors import ApiError, bad_request
from lab.cloudflare.ingress import require_valid
from lab.cloudflare.state import Json, TunnelRecord
from lab.cloudflare.times import now
from lab.cloudflare.tunnel_calls import READ, WRITE, connection_view, find_tunnel
from lab.cloudflare.tunnels import Connection

_TUNNEL = "/accounts/{account}/cfd_tunnel/{tunnel}"


class ConnectionCalls:
    """The calls on a tunnel's configuration and connections."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def calls(self) -> list[Call]:
        return [
            Call("GET", f"{_TUNNEL}/configurations", self.configuration, READ),
            Call("PUT", f"{_TUNNEL}/configurations", self.configure, WRITE),
            Call("GET", f"{_TUNNEL}/connections", self.connections, READ),
            Call("DELETE", f"{_TUNNEL}/connections", self.drop, WRITE),
            Call("GET", f"{_TUNNEL}/connectors/{{connector}}", self.connector, READ),
        ]

    async def configuration(self, request: Request) -> Json:
        tunnel = find_tunnel(self._core, request)
        if tunnel.config is None:
            raise ApiError(404, 1055, "config not found")
        return _configuration(tunnel)

    async def configure(self, request: Request) -> Json:
        tunnel = find_tunnel(self._core, request)
        body = request.object()
        if "config" not in body:
            raise bad_request("config is required")
        require_valid(body["config"])
        tunnel.config = body["config"]
        tunnel.config_version += 1
        tunnel.config_at = now()
        self._core.store.save()
        self._core.tunnels.changed(tunnel.id)
        return _configuration(tunnel)

    async def connections(self, request: Request) -> list[Json]:
        tunnel = find_tunnel(self._core, request, deleted=True)
        return self._clients(tunnel)

    async def drop(self, request: Request) -> None:
        tunnel = find_tunnel(self._core, request)
        self._core.tunnels.drop(tunnel.id, request.query.get("client_id"))

    async def connector(self, request: Request) -> Json:
        tunnel = find_tunnel(self._core, request)
        for client in self._clients(tunnel):
            if client["id"] == request.path["connector"]:
                return client
        raise ApiError(404, 1003, "Connector not found")

    def _clients(self, tunnel: TunnelRecord) -> list[Json]:
        live = sorted(self._core.tunnels.connections(tunnel.id), key=lambda c: c.client_id)
        return [
            _client(client, list(connections), tunnel.config_version)
            for client, connections in groupby(live, key=lambda c: c.client_id)
        ]


def _client(client: str, connections: list[Connection], version: int) -> Json:
    first = min(connections, key=lambda c: c.opened_at)
    return {
        "id": client,
        "version": first.client_version,
        "arch": first.arch,
        "run_at": first.opened_at,
        "features": list(first.features),
        "config_version": version,
        "conns": [connection_view(c) for c in connections],
    }


def _configuration(tunnel: TunnelRecord) -> Json:
    return {
        "account_id": tunnel.account,
        "tunnel_id": tunnel.id,
        "version": tunnel.config_version,
        "config": tunnel.config,
        "source": "cloudflare",
        "created_at": tunnel.config_at,
    }
