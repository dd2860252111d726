"""OAuth clients and federated identities: both are keys of a kind of their own."""

from typing import Any

from lab.doubles.bridged.answers import body_of, state_after, state_read
from lab.doubles.bridged.attributes import Attribute, Kind, Many, Tf, output
from lab.doubles.tailscale.by_id import ById
from lab.doubles.tailscale.client import Client, HttpRefused, telling
from lab.doubles.tailscale.key import TAGS

Json = dict[str, Any]
_COMMON = (
    output("id", keeps=True),
    Attribute("description", computed=True, default=""),
    Attribute(
        "scopes",
        Many(Kind.STRING, unordered=True),
        required=True,
        description="Scopes to grant to the client.",
    ),
    Attribute("tags", TAGS, computed=True, default=[]),
    Attribute("created_at", optional=False, computed=True, sent=False, keeps=True, api="created"),
    Attribute("updated_at", optional=False, computed=True, sent=False, api="updated"),
    Attribute("user_id", optional=False, computed=True, sent=False, keeps=True, api="userId"),
)


class KeyedClient(ById):
    """A client that logs in: created, changed and deleted among the keys."""

    def __init__(self, kind: str, what: str, more: tuple[Attribute, ...]) -> None:
        self.attributes = (*_COMMON, *more)
        self._kind, self._what = {"keyType": kind}, what

    async def create(self, api: Client, planned: Tf) -> Tf:
        with telling(f"Failed to create {self._what}"):
            answer = await api.ask("POST", f"{api.tailnet}/keys", self._body(planned))
        return state_after(self.attributes, planned, answer)

    async def update(self, api: Client, prior: Tf, planned: Tf) -> Tf:
        path = f"{api.tailnet}/keys/{prior['id']}"
        with telling(f"Failed to update {self._what}"):
            answer = await api.ask("PUT", path, self._body(planned))
        return state_after(self.attributes, planned, {**answer, "key": prior.get("key")})

    async def read(self, api: Client, state: Tf) -> Tf | None:
        with telling(f"Failed to read {self._what}"):
            try:
                answer = await api.ask("GET", f"{api.tailnet}/keys/{state['id']}")
            except HttpRefused as error:
                if error.is_not_found:
                    return None
                raise
        return state_read(self.attributes, state, answer)

    async def delete(self, api: Client, state: Tf) -> None:
        with telling(f"Failed to delete {self._what}"):
            try:
                await api.ask("DELETE", f"{api.tailnet}/keys/{state['id']}")
            except HttpRefused as error:
                if not error.is_not_found:
                    raise

    def _body(self, planned: Tf) -> Json:
        return self._kind | body_of(self.attributes, planned)


OAUTH_CLIENT = KeyedClient(
    "client",
    "OAuth client",
    (
        Attribute(
            "key",
            optional=False,
            computed=True,
            sent=False,
            answered=False,
            secret=True,
            keeps=True,
        ),
    ),
)
FEDERATED_IDENTITY = KeyedClient(
    "federated",
    "federated identity",
    (
        Attribute("audience", computed=True, keeps=True),
        Attribute("issuer", required=True, description="The issuer of the OIDC identity token."),
        Attribute("subject", required=True, description="The pattern of the token's subject."),
        Attribute(
            "custom_claim_rules", Kind.ANY, computed=True, default={}, api="customClaimRules"
        ),
    ),
)
