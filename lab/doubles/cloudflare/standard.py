"""A resource with one path for all of its kind and one below it for each."""

import re
from typing import Any
from urllib.parse import unquote

from lab.doubles.bridged.answers import body_of, state_after, state_read
from lab.doubles.bridged.attributes import Tf
from lab.doubles.bridged.resource import BridgedResource
from lab.doubles.cloudflare.client import Client, HttpRefused
from lab.doubles.provider import Refused

Json = dict[str, Any]
_GONE = 404


class StandardResource(BridgedResource[Client]):
    """Created by POST, read by GET, changed by PUT of everything, deleted by DELETE.

    `scope` are the attributes of the path, and `import_form` what an import id looks like.
    """

    import_form: str
    scope: tuple[str, ...]

    def path(self, state: Tf) -> str:
        """Where all of this kind are."""
        raise NotImplementedError

    def settle(self, state: Tf) -> Tf:
        """The last word on a state that came from an answer."""
        return state

    async def create(self, api: Client, planned: Tf) -> Tf:
        body = body_of(self.attributes, planned)
        answer = await api.result("POST", self.path(planned), body=body)
        return self.settle(state_after(self.attributes, planned, answer or {}))

    async def update(self, api: Client, prior: Tf, planned: Tf) -> Tf:
        body = body_of(self.attributes, planned)
        answer = await api.result("PUT", f"{self.path(prior)}/{prior['id']}", body=body)
        return self.settle(state_after(self.attributes, planned, answer or {}))

    async def read(self, api: Client, state: Tf) -> Tf | None:
        try:
            answer = await api.result("GET", f"{self.path(state)}/{state['id']}")
        except HttpRefused as error:
            if error.status == _GONE:
                return None
            raise
        return self.settle(state_read(self.attributes, state, answer or {}))

    async def delete(self, api: Client, state: Tf) -> None:
        await api.ask("DELETE", f"{self.path(state)}/{state['id']}")

    async def find(self, api: Client, import_id: str) -> Tf:
        state = self.named(import_id)
        answer = await api.result("GET", f"{self.path(state)}/{state['id']}")
        return self.settle(state_read(self.attributes, state, answer or {}))

    def named(self, import_id: str) -> Tf:
        """The scope and the id that an import id names; raises Refused."""
        parts = split_id(self.import_form, import_id)
        empty: Tf = {attribute.name: None for attribute in self.attributes}
        return empty | dict(zip((*self.scope, "id"), parts, strict=True))


class AccountOrZoneResource(StandardResource):
    """One that belongs to an account or to a zone."""

    scope = ("account_id", "zone_id")
    kind: str

    def path(self, state: Tf) -> str:
        if state.get("account_id"):
            return f"/accounts/{state['account_id']}/access/{self.kind}"
        return f"/zones/{state.get('zone_id') or ''}/access/{self.kind}"

    def named(self, import_id: str) -> Tf:
        owner, owner_id, own_id = split_id(self.import_form, import_id)
        if owner not in {"accounts", "zones"}:
            raise Refused(
                "invalid discriminator segment - <{accounts|zones}/{account_id|zone_id}>: "
                "expected discriminator to be one of {accounts|zones}"
            )
        empty: Tf = {attribute.name: None for attribute in self.attributes}
        return empty | {f"{owner.removesuffix('s')}_id": owner_id, "id": own_id}


def split_id(form: str, text: str) -> list[str]:
    """The parts of an import id; raises Refused where it is not of the form."""
    parts = text.split("/")
    if len(parts) != len(re.sub(r"\{[^}]*\}/\{[^}]*\}", "x/y", form).split("/")) or "" in parts:
        raise Refused(f'invalid ID: expected urlencoded segments "{form}", got "{text}"')
    return [unquote(part) for part in parts]
