"""Cloudflare's HTTP API as the measurements of the real provider had it."""

import itertools
import re
from typing import Any

from tests.unit.doubles.recorder import Answer

A, B, Z, Y = "a" * 32, "b" * 32, "c" * 32, "d" * 32
TUNNEL = "00000000-0000-4000-8000-00000000aaaa"
AT = "2026-01-01T00:00:00Z"


class Api:
    """Cloudflare as the measurements had it: it keeps what it is told and refuses nothing."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self._ids = itertools.count(1)

    def answer(self, method: str, path: str, body: Any) -> Answer:  # noqa: PLR0911
        bare, _, query = path.partition("?")
        kind = bare.removeprefix("/client/v4").split("/")[3:]
        if bare.startswith("/zones") and len(bare.split("/")) < 4:
            return self._zone(bare, query)
        if bare.endswith("/token"):
            return ok("eyJhIjoiTOKEN")
        if bare.endswith("/configurations"):
            return self._configuration(method, bare, body)
        if method == "POST":
            number = next(self._ids)
            made = made_by(bare, kind, number, body)
            self.kept[f"{bare}/{made['id']}"] = made
            return ok(made)
        if method == "GET" and "page=2" in query:
            return ok([])
        if method == "GET" and not re.search(r"[0-9a-f]{12}$", bare.rsplit("/", 1)[1]):
            return ok([v for k, v in self.kept.items() if k.startswith(f"{bare}/")])
        if bare not in self.kept:
            return refused(404, 81044, "Record does not exist.")
        if method == "DELETE":
            self.kept.pop(bare)
            return ok({})
        if body is not None:
            self.kept[bare] |= body
        shown = dict(self.kept[bare])
        shown.pop("client_secret", None)
        return ok(shown)

    def _configuration(self, method: str, path: str, body: Any) -> Answer:
        if method == "PUT":
            self.kept[path] = {
                "tunnel_id": path.split("/")[-2],
                "version": next(self._ids),
                "source": "cloudflare",
                "created_at": AT,
                **body,
            }
        elif path not in self.kept:
            return refused(404, 1055, "config not found")
        return ok(self.kept[path])

    def _zone(self, path: str, query: str) -> Answer:
        zone_id = path.removeprefix("/zones").strip("/") or "0" * 31 + "f"
        zone = {
            "id": zone_id,
            "name": "jackshome.com",
            "account": {"id": A, "name": "A"},
            "status": "active",
            "type": "full",
            "paused": False,
            "development_mode": 0,
            "name_servers": ["a.ns", "b.ns"],
            "owner": {"id": "x", "name": "x", "type": "user"},
            "meta": {},
            "plan": {},
            "permissions": [],
            "tenant": {},
            "tenant_unit": {},
            **{f"{what}_on": AT for what in ("created", "modified", "activated")},
        }
        return ok([zone] if query else zone)


def made_by(path: str, kind: list[str], number: int, body: Any) -> dict[str, Any]:
    long = f"00000000-0000-4000-8000-{number:012d}"
    if kind == ["cfd_tunnel"]:
        return {
            "id": long,
            "account_tag": path.split("/")[2],
            "config_src": "local",
            "connections": [],
            "created_at": AT,
            "metadata": {},
            "remote_config": body.get("config_src") == "cloudflare",
            "status": "inactive",
            "tun_type": "cfd_tunnel",
            **body,
        }
    if kind == ["dns_records"]:
        times = {"created_on": AT, "modified_on": AT}
        fixed = {"proxiable": True, "meta": {}, "settings": {}, "tags": []}
        return {"id": f"{number:032x}", **times, **fixed, **body}
    if kind == ["access", "apps"]:
        return {"id": long, "aud": "aud", "self_hosted_domains": [body.get("domain")], **body}
    if kind == ["access", "service_tokens"]:
        secret = {"client_id": "x.access", "client_secret": "SECRET" * 10}
        return {"id": long, "expires_at": AT, **secret, **body}
    return {"id": long, **body}


def ok(result: Any) -> Answer:
    return 200, {"success": True, "errors": [], "messages": [], "result": result}


def refused(status: int, code: int, message: str) -> Answer:
    errors = [{"code": code, "message": message}]
    return status, {"success": False, "errors": errors, "messages": [], "result": None}
