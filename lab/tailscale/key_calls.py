"""Keys: those that machines join with, and those of OAuth clients and federated identities."""

import re
from typing import Any

from lab.tailscale.call import Call, Request, reads, writes
from lab.tailscale.callers import tag_owners
from lab.tailscale.core import Core, letters, new_id
from lab.tailscale.errors import ApiError
from lab.tailscale.state import Json, KeyRecord, shown_time
from lab.tailscale.tailnet import is_valid

_KEYS = "/tailnet/{tailnet}/keys"
_LONGEST_S = 90 * 24 * 3600
_LONGEST_DESCRIPTION = 50
_DESCRIPTION = re.compile(r"[A-Za-z0-9 -]*")
_SCOPES = {"auth": "auth_keys", "client": "oauth_keys", "federated": "oauth_keys"}


class KeyCalls:
    """The calls on keys."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def calls(self) -> list[Call]:
        one = f"{_KEYS}/{{key}}"
        return [
            reads(_KEYS, self.keys, "auth_keys"),
            writes("POST", _KEYS, self.create, ""),
            reads(one, self.read, ""),
            writes("PUT", one, self.change, "oauth_keys"),
            writes("DELETE", one, self.delete, ""),
        ]

    async def keys(self, request: Request) -> Json:
        everything = request.query.get("all") == "true"
        return {
            "keys": [
                self._view(key) if everything else {"id": key.id}
                for key in self._of(request).values()
                if key.kind == "auth" or everything
            ]
        }

    async def create(self, request: Request) -> Json:
        body = request.object()
        kind = body.get("keyType") or "auth"
        if not isinstance(kind, str) or kind not in _SCOPES:
            raise ApiError(400, f"invalid keyType {kind!r}")
        request.caller.require(_SCOPES[kind], write=True)
        description = _description(body)
        made = self._auth(request, body) if kind == "auth" else self._client(request, body, kind)
        made.description = description
        self._of(request)[made.id] = made
        self._core.store.save()
        return {**self._view(made), "key": made.secret} if made.secret else self._view(made)

    async def read(self, request: Request) -> Json:
        key = self._find(request)
        request.caller.require(_SCOPES[key.kind], write=False)
        return self._view(key)

    async def change(self, request: Request) -> Json:
        key, body = self._find(request), request.object()
        if key.kind == "auth":
            raise ApiError(400, "auth keys cannot be changed")
        key.description = _description(body)
        key.tags = self._tags(request, body.get("tags"))
        key.said = _said(body, key.kind)
        self._core.store.save()
        return self._view(key)

    async def delete(self, request: Request) -> Json:
        key = self._find(request)
        request.caller.require(_SCOPES[key.kind], write=True)
        del self._of(request)[key.id]
        self._core.store.save()
        return {}

    def _auth(self, request: Request, body: Json) -> KeyRecord:
        wanted = _devices(body)
        tags = self._tags(request, wanted.get("tags"))
        if request.caller.client and not tags:
            raise ApiError(400, "tailnet-owned auth key must have tags set")
        made, now = new_id(), self._core.clock()
        return KeyRecord(
            id=made,
            kind="auth",
            secret=f"tskey-auth-{made}-{letters(32)}",
            created=now,
            expires=now + _expiry(body),
            reusable=_flag(wanted, "reusable"),
            ephemeral=_flag(wanted, "ephemeral"),
            preauthorized=_flag(wanted, "preauthorized"),
            tags=tags,
            client=request.caller.client,
        )

    def _client(self, request: Request, body: Json, kind: str) -> KeyRecord:
        made, said = new_id(), _said(body, kind)
        for scope in said["scopes"]:
            name = str(scope).removesuffix(":read")
            request.caller.require(name, write=name == scope)
        secret = f"tskey-client-{made}-{letters(32)}" if kind == "client" else ""
        return KeyRecord(
            id=made,
            kind="client" if kind == "client" else "federated",
            secret=secret,
            created=self._core.clock(),
            tags=self._tags(request, body.get("tags")),
            client=request.caller.client,
            said=said,
        )

    def _tags(self, request: Request, said: object) -> list[str]:
        if said is None:
            return []
        if not isinstance(said, list) or not all(isinstance(tag, str) for tag in said):
            raise ApiError(400, "tags must be a list of strings")
        owners = tag_owners(self._core, request.caller.tailnet)
        request.caller.require_tags(said, owners)
        return sorted(set(said))

    def _of(self, request: Request) -> dict[str, KeyRecord]:
        return self._core.record(request.caller.tailnet).keys

    def _find(self, request: Request) -> KeyRecord:
        found = self._of(request).get(request.path["key"])
        if found is None:
            raise ApiError(404, "key not found")
        return found

    def _view(self, key: KeyRecord) -> Json:
        shown: Json = {
            "id": key.id,
            "keyType": key.kind,
            "created": shown_time(key.created),
            "description": key.description,
            "invalid": not is_valid(key, self._core),
            "userId": "" if key.client else "u1CNTRL",
        }
        if key.expires is not None:
            shown["expires"] = shown_time(key.expires)
            shown["expirySeconds"] = int(key.expires - key.created)
        if key.kind == "auth":
            create = {
                "reusable": key.reusable,
                "ephemeral": key.ephemeral,
                "preauthorized": key.preauthorized,
                "tags": key.tags,
            }
            return {**shown, "capabilities": {"devices": {"create": create}}}
        updated = {"updated": shown["created"]}
        return {**shown, **updated, **key.said, "tags": key.tags}


def _devices(body: Json) -> Json:
    found: Any = body.get("capabilities")
    for name in ("devices", "create"):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise ApiError(400, "capabilities.devices.create is required")
    return found


def _description(body: Json) -> str:
    text = body.get("description") or ""
    if not isinstance(text, str) or len(text) > _LONGEST_DESCRIPTION:
        raise ApiError(400, f"description must be at most {_LONGEST_DESCRIPTION} characters")
    if not _DESCRIPTION.fullmatch(text):
        raise ApiError(
            400, "description may contain only alphanumeric characters, hyphens and spaces"
        )
    return text


def _expiry(body: Json) -> float:
    """Seconds; 0, or nothing, is the longest."""
    said = body.get("expirySeconds") or 0
    if isinstance(said, bool) or not isinstance(said, int) or not 0 <= said <= _LONGEST_S:
        raise ApiError(400, f"expirySeconds must be between 0 and {_LONGEST_S} (90 days)")
    return float(said or _LONGEST_S)


def _flag(said: Json, name: str) -> bool:
    value = said.get(name, False)
    if not isinstance(value, bool):
        raise ApiError(400, f"{name} must be true or false")
    return value


def _said(body: Json, kind: str) -> Json:
    scopes = body.get("scopes")
    if not isinstance(scopes, list) or not scopes:
        raise ApiError(400, "scopes are required")
    said: Json = {"scopes": scopes}
    if kind == "federated":
        for name in ("issuer", "subject"):
            if not body.get(name):
                raise ApiError(400, f"{name} is required")
        said |= {name: body[name] for name in ("issuer", "subject", "audience") if name in body}
        said["customClaimRules"] = body.get("customClaimRules") or {}
    return said
