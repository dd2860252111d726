"""DNS of a tailnet."""

from ipaddress import ip_address
from typing import Any

from lab.tailscale.call import Call, Request, reads, writes
from lab.tailscale.core import Core
from lab.tailscale.errors import ApiError
from lab.tailscale.state import Json, TailnetRecord

_DNS = "/tailnet/{tailnet}/dns"
_ALL = ""
"""In the place of a domain: servers for every name."""


class DnsCalls:
    """The calls on name servers, search paths and preferences."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def calls(self) -> list[Call]:
        return [
            reads(f"{_DNS}/nameservers", self.nameservers, "dns"),
            writes("POST", f"{_DNS}/nameservers", self.set_nameservers, "dns"),
            reads(f"{_DNS}/searchpaths", self.search_paths, "dns"),
            writes("POST", f"{_DNS}/searchpaths", self.set_search_paths, "dns"),
            reads(f"{_DNS}/preferences", self.preferences, "dns"),
            writes("POST", f"{_DNS}/preferences", self.set_preferences, "dns"),
            reads(f"{_DNS}/split-dns", self.split, "dns"),
            writes("PATCH", f"{_DNS}/split-dns", self.change_split, "dns"),
            writes("PUT", f"{_DNS}/split-dns", self.set_split, "dns"),
            reads(f"{_DNS}/configuration", self.configuration, "dns"),
            writes("POST", f"{_DNS}/configuration", self.set_configuration, "dns"),
        ]

    async def nameservers(self, request: Request) -> Json:
        return {"dns": self._of(request).nameservers}

    async def set_nameservers(self, request: Request) -> Json:
        record = self._of(request)
        record.nameservers = _addresses(request.object().get("dns"))
        self._core.store.save()
        return {"dns": record.nameservers, "magicDNS": record.magic_dns}

    async def search_paths(self, request: Request) -> Json:
        return {"searchPaths": self._of(request).search_paths}

    async def set_search_paths(self, request: Request) -> Json:
        self._of(request).search_paths = _texts(request.object().get("searchPaths"))
        self._core.store.save()
        return await self.search_paths(request)

    async def preferences(self, request: Request) -> Json:
        return {"magicDNS": self._of(request).magic_dns}

    async def set_preferences(self, request: Request) -> Json:
        self._of(request).magic_dns = request.object().get("magicDNS") is True
        self._core.store.save()
        return await self.preferences(request)

    async def split(self, request: Request) -> Json:
        return dict(self._of(request).split_dns)

    async def set_split(self, request: Request) -> Json:
        self._of(request).split_dns = _split(request.object())
        self._core.store.save()
        return await self.split(request)

    async def change_split(self, request: Request) -> Json:
        record = self._of(request)
        wanted = record.split_dns | _split(request.object())
        record.split_dns = {domain: servers for domain, servers in wanted.items() if servers}
        self._core.store.save()
        return await self.split(request)

    async def configuration(self, request: Request) -> Json:
        record = self._of(request)
        return {
            "nameservers": _resolvers(record, _ALL, record.nameservers),
            "splitDns": {
                domain: _resolvers(record, domain, servers)
                for domain, servers in record.split_dns.items()
            },
            "searchPaths": record.search_paths,
            "preferences": {
                "overrideLocalDns": record.override_local_dns,
                "magicDns": record.magic_dns,
            },
        }

    async def set_configuration(self, request: Request) -> Json:
        body, record = _any_case(request.object()), self._of(request)
        preferences = _any_case(body.get("preferences"))
        split = body.get("splitdns") or {}
        if not isinstance(split, dict):
            raise ApiError(400, "splitDns must be an object")
        said = {_ALL: body.get("nameservers"), **split}
        servers = {domain: _servers(each) for domain, each in said.items()}
        search_paths = _texts(body.get("searchpaths"))
        record.nameservers = servers.pop(_ALL)
        record.split_dns = servers
        record.search_paths = search_paths
        record.with_exit_node = {domain: _with_exit_node(each) for domain, each in said.items()}
        # The whole is replaced: what is left out is off.
        record.magic_dns = preferences.get("magicdns") is True
        record.override_local_dns = preferences.get("overridelocaldns") is True
        self._core.store.save()
        return await self.configuration(request)

    def _of(self, request: Request) -> TailnetRecord:
        return self._core.record(request.caller.tailnet)


def _any_case(said: Any) -> Json:  # noqa: ANN401 - any JSON
    """An object's values by their names in lower case: clients spell `DNS` in two ways."""
    return {str(k).lower(): v for k, v in said.items()} if isinstance(said, dict) else {}


def _texts(said: Any) -> list[str]:  # noqa: ANN401
    if said is None:
        return []
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        raise ApiError(400, "a list of strings is wanted")
    return said


def _addresses(said: Any) -> list[str]:  # noqa: ANN401
    for text in _texts(said):
        try:
            ip_address(text)
        except ValueError as error:
            raise ApiError(400, f"{text!r} is no IP address") from error
    return list(said or [])


def _servers(said: Any) -> list[str]:  # noqa: ANN401
    resolvers = said or []
    if not isinstance(resolvers, list) or not all(isinstance(each, dict) for each in resolvers):
        raise ApiError(400, "a list of resolvers, each with an address, is wanted")
    return _addresses([each.get("address") for each in resolvers])


def _with_exit_node(said: Any) -> list[str]:  # noqa: ANN401
    return [each["address"] for each in said or [] if each.get("useWithExitNode") is True]


def _resolvers(record: TailnetRecord, domain: str, servers: list[str]) -> list[Json]:
    kept = record.with_exit_node.get(domain, [])
    return [
        {"address": server} | ({"useWithExitNode": True} if server in kept else {})
        for server in servers
    ]


def _split(said: Json) -> dict[str, list[str]]:
    return {domain: _addresses(servers) for domain, servers in said.items()}
