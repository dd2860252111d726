"""DNS of a tailnet: one resource for each of its settings."""

import uuid
from typing import Any

from lab.doubles.bridged.attributes import Attribute, Kind, Many, Tf, Type, output
from lab.doubles.bridged.plan import same
from lab.doubles.tailscale.by_id import ById
from lab.doubles.tailscale.client import Client, telling
from lab.doubles.values import Value


class DnsSetting(ById):
    """The setting `what`: attribute `fact`, `field` in the API, `empty` once it is deleted."""

    def __init__(self, what: str, path: str, fact: Attribute, field: str, empty: Value) -> None:
        self.attributes = (output("id"), fact)
        self._what, self._path, self._fact = what, f"/dns/{path}", fact
        self._field, self._empty = field, empty

    async def create(self, api: Client, planned: Tf) -> Tf:
        await self._set(api, planned[self._fact.name])
        return {**planned, "id": str(uuid.uuid4())}

    async def update(self, api: Client, prior: Tf, planned: Tf) -> Tf:
        name = self._fact.name
        if not same(self._fact.type, prior[name], planned[name]):
            await self._set(api, planned[name])
        return {**planned, "id": prior["id"]}

    async def read(self, api: Client, state: Tf) -> Tf | None:
        with telling(f"Error fetching DNS {self._what}: Failed to fetch DNS {self._what}"):
            answer = await api.ask("GET", api.tailnet + self._path)
        return {**state, self._fact.name: answer.get(self._field, self._empty)}

    async def delete(self, api: Client, state: Tf) -> None:
        del state
        await self._set(api, self._empty)

    async def _set(self, api: Client, value: Any) -> None:  # noqa: ANN401 - any of the facts
        with telling(f"Failed to set DNS {self._what}: Failed to set DNS {self._what}"):
            await api.ask("POST", api.tailnet + self._path, {self._field: value})


def _fact(name: str, type_: Type, description: str) -> Attribute:
    return Attribute(name, type_, required=True, description=description)


NAMESERVERS = DnsSetting(
    "nameservers",
    "nameservers",
    _fact(
        "nameservers",
        Many(Kind.STRING),
        "Devices on your network will use these nameservers to resolve DNS names. IPv4 or IPv6 "
        "addresses are accepted.",
    ),
    "dns",
    [],
)
PREFERENCES = DnsSetting(
    "preferences",
    "preferences",
    _fact("magic_dns", Kind.BOOL, "Whether or not to enable magic DNS"),
    "magicDNS",
    empty=False,
)
SEARCH_PATHS = DnsSetting(
    "search paths",
    "searchpaths",
    _fact(
        "search_paths",
        Many(Kind.STRING),
        "Devices on your network will use these domain suffixes to resolve DNS names.",
    ),
    "searchPaths",
    [],
)
