"""Tunnels: create, list, read, rename, delete, and the token of their connectors."""

import base64
import binascii
import secrets
import uuid
from datetime import datetime

from lab.cloudflare.call import Call, Request
from lab.cloudflare.connector_token import ConnectorToken
from lab.cloudflare.core import Core
from lab.cloudflare.errors import ApiError, bad_request
from lab.cloudflare.state import Json, TunnelRecord
from lab.cloudflare.times import now
from lab.cloudflare.tunnels import Connection

_TUNNELS = "/accounts/{account}/cfd_tunnel"
READ, WRITE = "Cloudflare Tunnel Read", "Cloudflare Tunnel Write"
_SHORTEST_SECRET = 32


class TunnelCalls:
    """The calls on tunnels themselves."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def calls(self) -> list[Call]:
        one = f"{_TUNNELS}/{{tunnel}}"
        return [
            Call("GET", _TUNNELS, self.tunnels, READ),
            Call("POST", _TUNNELS, self.create, WRITE),
            Call("GET", one, self.read, READ),
            Call("PATCH", one, self.change, WRITE),
            Call("DELETE", one, self.delete, WRITE),
            Call("GET", f"{one}/token", self.token, WRITE),
        ]

    async def tunnels(self, request: Request) -> list[Json]:
        query = request.query
        shown = [self._view(t) for t in self._of(request) if self._is_asked(request, t)]
        if status := query.get("status"):
            shown = [view for view in shown if view["status"] == status]
        shown.sort(key=lambda view: str(view["created_at"]), reverse=True)
        return request.page(shown, usual=20, most=1000)

    async def create(self, request: Request) -> Json:
        body = request.object()
        name = _name(body)
        source = body.get("config_src", "local")
        if source not in ("local", "cloudflare"):
            raise bad_request(f"config_src must be local or cloudflare, got {source}")
        self._require_free(request, name)
        secret = _secret(body)
        tunnel = TunnelRecord(
            id=str(uuid.uuid4()),
            account=request.path["account"],
            name=name,
            secret=secret or base64.b64encode(secrets.token_bytes(_SHORTEST_SECRET)).decode(),
            config_src=source,
            created_at=now(),
        )
        self._core.store.state.tunnels[tunnel.id] = tunnel
        self._core.store.save()
        return self._view(tunnel)

    async def read(self, request: Request) -> Json:
        return self._view(find_tunnel(self._core, request, deleted=True))

    async def change(self, request: Request) -> Json:
        tunnel = find_tunnel(self._core, request)
        body = request.object()
        name = _name(body) if "name" in body else tunnel.name
        secret = _secret(body) or tunnel.secret
        if name != tunnel.name:
            self._require_free(request, name)
        changed = secret != tunnel.secret
        tunnel.name, tunnel.secret = name, secret
        self._core.store.save()
        if changed:
            self._core.tunnels.changed(tunnel.id)
        return self._view(tunnel)

    async def delete(self, request: Request) -> Json:
        tunnel = find_tunnel(self._core, request)
        if self._core.tunnels.connections(tunnel.id):
            raise ApiError(400, 1022, "Cannot delete tunnel because it has active connections.")
        tunnel.deleted_at = now()
        self._core.store.save()
        self._core.tunnels.changed(tunnel.id)
        return self._view(tunnel)

    async def token(self, request: Request) -> str:
        tunnel = find_tunnel(self._core, request)
        return ConnectorToken(tunnel.account, tunnel.id, tunnel.secret).text()

    def _of(self, request: Request) -> list[TunnelRecord]:
        account = request.path["account"]
        return [t for t in self._core.store.state.tunnels.values() if t.account == account]

    def _is_asked(self, request: Request, tunnel: TunnelRecord) -> bool:
        query, deleted = request.query, request.flag("is_deleted")
        return (
            (deleted is None or deleted == (tunnel.deleted_at is not None))
            and query.get("name", tunnel.name) == tunnel.name
            and query.get("uuid", tunnel.id) == tunnel.id
            and tunnel.name.startswith(query.get("include_prefix", ""))
            and not (
                query.get("exclude_prefix") and tunnel.name.startswith(query["exclude_prefix"])
            )
            and _existed(tunnel, query.get("existed_at"))
            and _was(tunnel.conns_active_at, query.get("was_active_at"))
            and _was(tunnel.conns_inactive_at, query.get("was_inactive_at"))
        )

    def _require_free(self, request: Request, name: str) -> None:
        if any(t.name == name and t.deleted_at is None for t in self._of(request)):
            raise ApiError(
                409,
                1013,
                "You already have a tunnel with this name. Delete the existing tunnel, or choose "
                "a different name for your new tunnel.",
            )

    def _view(self, tunnel: TunnelRecord) -> Json:
        live = self._core.tunnels.connections(tunnel.id)
        return {
            "id": tunnel.id,
            "account_tag": tunnel.account,
            "created_at": tunnel.created_at,
            "deleted_at": tunnel.deleted_at,
            "name": tunnel.name,
            "connections": [connection_view(c) for c in live],
            "conns_active_at": tunnel.conns_active_at,
            "conns_inactive_at": tunnel.conns_inactive_at,
            "tun_type": "cfd_tunnel",
            "metadata": tunnel.metadata,
            "status": _status(tunnel, live),
            "remote_config": tunnel.config_src == "cloudflare",
            "config_src": tunnel.config_src,
        }


def find_tunnel(core: Core, request: Request, *, deleted: bool = False) -> TunnelRecord:
    """The tunnel of the path; raises ApiError 404. A deleted one only where it is asked for."""
    tunnel = core.store.state.tunnels.get(request.path["tunnel"])
    gone = tunnel is None or (tunnel.deleted_at is not None and not deleted)
    if tunnel is None or gone or tunnel.account != request.path["account"]:
        raise ApiError(404, 1003, "Tunnel not found")
    return tunnel


def connection_view(connection: Connection) -> Json:
    """A connection as the API shows it."""
    return {
        "id": connection.id,
        "uuid": connection.id,
        "client_id": connection.client_id,
        "client_version": connection.client_version,
        "colo_name": connection.colo_name,
        "is_pending_reconnect": False,
        "opened_at": connection.opened_at,
        "origin_ip": connection.origin_ip,
    }


def _status(tunnel: TunnelRecord, live: list[Connection]) -> str:
    if live:
        return "healthy"
    return "inactive" if tunnel.conns_inactive_at is None else "down"


def _name(body: Json) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise bad_request("name is required")
    return name


def _secret(body: Json) -> str | None:
    text = body.get("tunnel_secret")
    if text is None or text == "":
        return None
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) < _SHORTEST_SECRET:
        raise bad_request("tunnel_secret must be at least 32 bytes, in base64")
    return str(text)


def _existed(tunnel: TunnelRecord, at: str | None) -> bool:
    if not at:
        return True
    moment = _time(at)
    created = _time(tunnel.created_at)
    return created <= moment and (tunnel.deleted_at is None or _time(tunnel.deleted_at) > moment)


def _was(since: str | None, at: str | None) -> bool:
    return not at or (since is not None and _time(since) <= _time(at))


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f"{text} is no time of the form 2026-01-31T12:00:00Z") from error
    if moment.tzinfo is None:
        raise bad_request(f"{text} is no time of the form 2026-01-31T12:00:00Z")
    return moment
