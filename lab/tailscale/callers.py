"""Who asks, and what a credential's scopes allow."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from lab.hujson import HujsonError, standardize
from lab.tailscale.core import Core
from lab.tailscale.errors import ApiError, not_enough_permissions, tags_not_permitted
from lab.tailscale.state import TailnetRecord


@dataclass(frozen=True)
class Caller:
    """An admin (`client` empty, every scope), or an OAuth client, of one tailnet."""

    tailnet: str
    client: str = ""
    scopes: tuple[str, ...] = ("all",)
    tags: tuple[str, ...] = ()

    def require(self, scope: str, *, write: bool) -> None:
        """Raises ApiError 403 unless a scope of the caller's includes it."""
        enough = {scope, "all"} | (set() if write else {f"{scope}:read", "all:read"})
        if not enough & set(self.scopes):
            raise not_enough_permissions()

    def require_tags(self, tags: list[str], owners: Mapping[str, list[str]]) -> None:
        """Raises ApiError 400 for a tag that is none, or that the caller may not give."""
        if any(tag not in owners or not self._may_give(tag, owners) for tag in tags):
            raise tags_not_permitted(tags)

    def _may_give(self, tag: str, owners: Mapping[str, list[str]]) -> bool:
        return not self.client or tag in self.tags or bool(set(owners[tag]) & set(self.tags))


class Authenticator:
    """Finds the caller of a request by its headers."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who asks; raises ApiError 401 for nobody."""
        token = _token(headers.get("Authorization", ""))
        for name, record in self._core.store.state.tailnets.items():
            if name not in self._core.world.tailnets:
                continue
            if any(_same(value, token) for value in record.api_keys.values()):
                return Caller(name)
            for access in record.access:
                if _same(access.value, token) and access.expires > self._core.clock():
                    return self._client(name, record, access.client, access.scopes)
        raise ApiError(401, "API token invalid")

    def find_client(self, client_id: str, secret: str) -> tuple[str, str] | None:
        """The tailnet and the client's name or key id; None for no such client."""
        for name, record in self._core.store.state.tailnets.items():
            for client, known in record.clients.items():
                if known[0] == client_id and _same(known[1], secret):
                    return name, client
            key = record.keys.get(client_id)
            if key is not None and key.kind == "client" and _same(key.secret, secret):
                return name, key.id
        return None

    def scopes_of(self, tailnet: str, client: str) -> tuple[str, ...]:
        """Everything that the client may ever ask for."""
        said = self._core.world.tailnets[tailnet].oauth_clients.get(client)
        if said is not None:
            return said.scopes
        return tuple(self._core.record(tailnet).keys[client].said.get("scopes", []))

    def _client(
        self, tailnet: str, record: TailnetRecord, client: str, scopes: list[str]
    ) -> Caller:
        said = self._core.world.tailnets[tailnet].oauth_clients.get(client)
        if said is not None:
            return Caller(tailnet, client, tuple(scopes), said.tags)
        if client not in record.keys:
            raise ApiError(401, "API token invalid")
        return Caller(tailnet, client, tuple(scopes), tuple(record.keys[client].tags))


def tag_owners(core: Core, tailnet: str) -> dict[str, list[str]]:
    """Who may give which tag, by the policy that holds now."""
    policy = core.record(tailnet).policy
    if policy is None:
        return {t: list(o) for t, o in core.world.tailnets[tailnet].tag_owners.items()}
    try:
        owners = standardize(policy).get("tagOwners", {})
    except HujsonError:
        return {}
    if not isinstance(owners, dict):
        return {}
    kept = (list, type(None))
    return {tag: names or [] for tag, names in owners.items() if isinstance(names, kept)}


def basic(text: str) -> tuple[str, str] | None:
    """User and password of a Basic header; None where it is none."""
    scheme, _, value = text.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return user, password


def _token(header: str) -> str:
    if found := basic(header):
        return found[0]
    scheme, _, value = header.partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _same(known: str, given: str) -> bool:
    theirs = given.encode("utf-8", "surrogateescape")
    return bool(given) and hmac.compare_digest(known.encode(), theirs)
