"""DNS of a tailnet: one resource for each of its settings."""

import uuid
from collections.abc import Iterator
from typing import Any

from lab.doubles.bridged.attributes import Attribute, Kind, Many, Tf, Type, Validator, output
from lab.doubles.bridged.plan import same
from lab.doubles.tailscale.by_id import ById
from lab.doubles.tailscale.client import Client, telling
from lab.doubles.values import Value


class DnsSetting(ById):
    """The setting `path`: attribute `fact`, `field` in the API, `empty` once it is deleted.

    `written`, `deleted` and `fetched` are what the real provider says when that fails.
    """

    def __init__(
        self,
        attributes: tuple[Attribute, Attribute],
        path: str,
        field: str,
        empty: Value,
        *,
        written: str,
        deleted: str,
        fetched: str,
    ) -> None:
        self.attributes = attributes
        self._fact, self._path = attributes[1], f"/dns/{path}"
        self._field, self._empty = field, empty
        self._written, self._deleted, self._fetched = written, deleted, fetched

    async def create(self, api: Client, planned: Tf) -> Tf:
        await self._set(api, planned[self._fact.name], self._written)
        return {**planned, "id": str(uuid.uuid4())}

    async def update(self, api: Client, prior: Tf, planned: Tf) -> Tf:
        name = self._fact.name
        if not same(self._fact.type, prior[name], planned[name]):
            await self._set(api, planned[name], self._written)
        return {**planned, "id": prior["id"]}

    async def read(self, api: Client, state: Tf) -> Tf | None:
        with telling(f"Error fetching {self._fetched}: Failed to fetch {self._fetched}"):
            answer = await api.ask("GET", api.tailnet + self._path)
        return {**state, self._fact.name: answer.get(self._field, self._empty)}

    async def delete(self, api: Client, state: Tf) -> None:
        del state
        await self._set(api, self._empty, self._deleted)

    async def _set(self, api: Client, value: Any, told: str) -> None:  # noqa: ANN401 - any fact
        with telling(f"{told}: {told}"):
            await api.ask("POST", api.tailnet + self._path, {self._field: value})


def _fact(
    name: str, type_: Type, description: str, validators: tuple[Validator, ...] = ()
) -> Attribute:
    return Attribute(name, type_, required=True, description=description, validators=validators)


def _one_or_more(path: str, value: Value) -> Iterator[str]:
    if value == []:
        yield (
            f"Invalid Attribute Value. Attribute {path} list must contain at least 1 elements, "
            "got: 0"
        )


NAMESERVERS = DnsSetting(
    (
        output("id", keeps=True),
        _fact(
            "nameservers",
            Many(Kind.STRING),
            "Devices on your network will use these nameservers to resolve DNS names. IPv4 or "
            "IPv6 addresses are accepted.",
            (_one_or_more,),
        ),
    ),
    "nameservers",
    "dns",
    [],
    written="Failed to update DNS nameservers",
    deleted="Failed to delete DNS nameservers",
    fetched="DNS name servers",
)
PREFERENCES = DnsSetting(
    (output("id"), _fact("magic_dns", Kind.BOOL, "Whether or not to enable magic DNS")),
    "preferences",
    "magicDNS",
    empty=False,
    written="Failed to set DNS preferences",
    deleted="Failed to set DNS preferences",
    fetched="DNS preferences",
)
SEARCH_PATHS = DnsSetting(
    (
        output("id", keeps=True),
        _fact(
            "search_paths",
            Many(Kind.STRING),
            "Devices on your network will use these domain suffixes to resolve DNS names.",
        ),
    ),
    "searchpaths",
    "searchPaths",
    [],
    written="Failed to set DNS search paths",
    deleted="Failed to delete DNS search paths",
    fetched="DNS search paths",
)
