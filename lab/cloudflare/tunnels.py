"""What the edge needs to know of tunnels, and what it tells of their connections.

The API and the edge live in one process; this is the seam between them. Connections are not
kept: when the process ends there are none.
"""

import contextlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lab.cloudflare.connector_token import ConnectorToken
from lab.cloudflare.names import Names, names_of
from lab.cloudflare.state import Json, Store, TunnelRecord
from lab.cloudflare.times import now
from lab.world.cloudflare import Cloudflare


@dataclass(frozen=True)
class Connection:
    """One connection of a connector to the edge; a connector may have several.

    `id` is this connection's, `client_id` the connector's; both are UUIDs. `opened_at` is
    RFC 3339.
    """

    id: str
    client_id: str
    client_version: str
    origin_ip: str
    arch: str = "linux_amd64"
    colo_name: str = "lab01"
    features: tuple[str, ...] = ()
    opened_at: str = field(default_factory=now)


@dataclass(frozen=True)
class Configuration:
    """The configuration of a tunnel: `config` as the API has it (`ingress`, `originRequest`).

    `version` 0 and an empty `config` where none was written yet.
    """

    version: int
    config: Json


Listener = Callable[[str], None]
"""Called with a tunnel's id, in the event loop, after something of that tunnel has changed."""


class Tunnels:
    """The tunnels of all accounts, as the edge sees them."""

    def __init__(self, store: Store, world: Cloudflare) -> None:
        self._store = store
        self._zones = {
            world.zone_id(name): world.accounts[zone.account].id
            for name, zone in world.zones.items()
        }
        self._zone_names = tuple(world.zones)
        self._connections: dict[str, dict[str, Connection]] = {}
        self._listeners: set[Listener] = set()

    def by_token(self, token: str) -> str | None:
        """The id of the tunnel that a connector with `token` may serve; None refuses it."""
        said = ConnectorToken.parse(token)
        tunnel = self._alive(said.tunnel) if said else None
        if said is None or tunnel is None or tunnel.account != said.account:
            return None
        theirs = said.secret.encode("utf-8", "surrogatepass")
        return tunnel.id if hmac.compare_digest(tunnel.secret.encode(), theirs) else None

    def configuration(self, tunnel_id: str) -> Configuration:
        """What the tunnel's connectors are to do now; KeyError where there is no such tunnel."""
        tunnel = self._store.state.tunnels[tunnel_id]
        if tunnel.config_src == "local":
            # Kept by the API all the same, and never sent to a connector.
            return Configuration(0, {})
        return Configuration(tunnel.config_version, dict(tunnel.config or {}))

    def exists(self, tunnel_id: str) -> bool:
        """Whether the tunnel is there and not deleted."""
        return self._alive(tunnel_id) is not None

    def connected(self, tunnel_id: str, connection: Connection) -> None:
        """A connector serves the tunnel from now on, so it cannot be deleted.

        KeyError where the tunnel is gone.
        """
        tunnel = self._alive(tunnel_id)
        if tunnel is None:
            raise KeyError(tunnel_id)
        connections = self._connections.setdefault(tunnel_id, {})
        if not connections:
            tunnel.conns_active_at, tunnel.conns_inactive_at = now(), None
            self._store.save()
        connections[connection.id] = connection

    def disconnected(self, tunnel_id: str, connection_id: str) -> None:
        """The connection is gone; one that was not known is no error."""
        connections = self._connections.get(tunnel_id, {})
        if connections.pop(connection_id, None) is None or connections:
            return
        del self._connections[tunnel_id]
        tunnel = self._store.state.tunnels[tunnel_id]
        tunnel.conns_active_at, tunnel.conns_inactive_at = None, now()
        self._store.save()

    def connections(self, tunnel_id: str) -> list[Connection]:
        """The live connections, oldest first."""
        return list(self._connections.get(tunnel_id, {}).values())

    def names(self) -> Names:
        """The names of all zones as they are now."""
        state = self._store.state
        owners = {tunnel.id: tunnel.account for tunnel in state.tunnels.values()}
        return names_of(state.records.values(), self._zones, self._zone_names, owners)

    def published(self) -> dict[str, str]:
        """Public names with the tunnel that each leads to: proxied CNAMEs to tunnels.

        Names are in lower case, without a final dot; one may begin with `*.`.
        """
        return {name: route.tunnel for name, route in self.names().routes.items()}

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of tunnels that get another configuration or secret, lose connections by request or
        are deleted; returns what ends it.

        A connection that is no longer among `connections` is to be closed.
        """
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def changed(self, tunnel_id: str) -> None:
        """Told by the API after a change of the tunnel."""
        for listener in tuple(self._listeners):
            listener(tunnel_id)

    def drop(self, tunnel_id: str, client_id: str | None = None) -> None:
        """Told by the API: close the connections of a connector, or of all, by request."""
        for connection in self.connections(tunnel_id):
            if client_id in {None, connection.client_id}:
                self.disconnected(tunnel_id, connection.id)
        self.changed(tunnel_id)

    def _alive(self, tunnel_id: str) -> TunnelRecord | None:
        tunnel = self._store.state.tunnels.get(tunnel_id)
        return tunnel if tunnel is not None and tunnel.deleted_at is None else None


@contextlib.contextmanager
def connection_of(tunnels: Tunnels, tunnel_id: str, connection: Connection) -> Iterator[None]:
    """Hold `connection` as long as the block runs."""
    tunnels.connected(tunnel_id, connection)
    try:
        yield
    finally:
        tunnels.disconnected(tunnel_id, connection.id)
