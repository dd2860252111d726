"""DNS records: create, list, read, change, delete."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from lab.cloudflare.call import Call, Request
from lab.cloudflare.core import Core
from lab.cloudflare.errors import ApiError
from lab.cloudflare.filters import TEXT_TESTS, Filter, combine, matches
from lab.cloudflare.records import (
    TYPES,
    comment_of,
    content_of,
    proxied_of,
    refused,
    require_beside,
    tags_of,
    ttl_of,
    view,
    whole_name,
)
from lab.cloudflare.state import DnsRecord, Json
from lab.cloudflare.times import now

_RECORDS = "/zones/{zone}/dns_records"
_READ, _WRITE = "DNS Read", "DNS Write"
_ORDERS = ("type", "name", "content", "ttl", "proxied")
_KEPT = ("type", "name", "content", "ttl", "proxied", "comment", "tags", "settings", "data")


class RecordCalls:
    """The calls on a zone's records."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._zones = {core.world.zone_id(name): name for name in core.world.zones}

    def calls(self) -> list[Call]:
        one = f"{_RECORDS}/{{record}}"
        return [
            Call("GET", _RECORDS, self.records, _READ),
            Call("POST", _RECORDS, self.create, _WRITE),
            Call("GET", one, self.read, _READ),
            Call("PUT", one, self.replace, _WRITE),
            Call("PATCH", one, self.change, _WRITE),
            Call("DELETE", one, self.delete, _WRITE),
        ]

    async def records(self, request: Request) -> list[Json]:
        query = request.query
        filters, tags = _filters(request), _tag_filters(query)
        if tags:
            match = query.get("tag_match", "all")
            filters.append(lambda item: combine(tags, match, item))
        shown = [view(record) for record in self._of(request)]
        shown = [item for item in shown if combine(filters, query.get("match", "all"), item)]
        if text := query.get("search", "").lower():
            shown = [item for item in shown if text in _searched(item)]
        order = query.get("order", "name")
        if order not in _ORDERS:
            raise refused(9001, f"order must be one of {', '.join(_ORDERS)}")
        shown.sort(key=lambda item: item[order], reverse=query.get("direction") == "desc")
        return request.page(shown, usual=100, most=5_000_000)

    async def create(self, request: Request) -> Json:
        made = self._made(request, request.object(), secrets.token_hex(16), None)
        return self._keep(made)

    async def read(self, request: Request) -> Json:
        return view(self._find(request))

    async def replace(self, request: Request) -> Json:
        found = self._find(request)
        return self._keep(self._made(request, request.object(), found.id, found))

    async def change(self, request: Request) -> Json:
        found = self._find(request)
        body = {**{key: getattr(found, key) for key in _KEPT}, "priority": found.priority}
        return self._keep(self._made(request, {**body, **request.object()}, found.id, found))

    async def delete(self, request: Request) -> Json:
        found = self._find(request)
        del self._core.store.state.records[found.id]
        self._core.store.save()
        return {"id": found.id}

    def _keep(self, record: DnsRecord) -> Json:
        self._core.store.state.records[record.id] = record
        self._core.store.save()
        return view(record)

    def _of(self, request: Request) -> list[DnsRecord]:
        zone = request.path["zone"]
        return [r for r in self._core.store.state.records.values() if r.zone == zone]

    def _find(self, request: Request) -> DnsRecord:
        record = self._core.store.state.records.get(request.path["record"])
        if record is None or record.zone != request.path["zone"]:
            raise ApiError(404, 81044, "Record does not exist.")
        return record

    def _made(
        self, request: Request, body: Json, record_id: str, before: DnsRecord | None
    ) -> DnsRecord:
        zone, kind = request.path["zone"], body.get("type")
        if not isinstance(kind, str) or kind not in TYPES:
            raise refused(1004, f"DNS Validation Error: {kind} is no type of a record")
        name = whole_name(body.get("name"), self._zones[zone])
        proxied = proxied_of(kind, body.get("proxied"))
        at, comment, tags = now(), comment_of(body.get("comment")), tags_of(body.get("tags"))
        record = DnsRecord(
            id=record_id,
            zone=zone,
            type=kind,
            name=name,
            content=content_of(kind, body, name),
            ttl=ttl_of(body.get("ttl", 1), proxied=proxied),
            proxied=proxied,
            comment=comment,
            tags=tags,
            data=_data(body.get("data")),
            priority=_priority(kind, body.get("priority")),
            settings=_settings(body.get("settings")),
            created_on=before.created_on if before else at,
            modified_on=at,
            comment_modified_on=_since(before, "comment", comment, at),
            tags_modified_on=_since(before, "tags", tags, at),
        )
        require_beside(record, (other for other in self._of(request) if other.id != record_id))
        return record


def _filters(request: Request) -> list[Filter]:
    query, filters = request.query, list[Filter]()
    for field in ("name", "content", "comment"):
        at = _text(field)
        if query.get(field):
            filters.append(matches("exact", query[field], at))
        for test in TEXT_TESTS:
            if wanted := query.get(f"{field}.{test}"):
                filters.append(matches(test, wanted, at))
    if "comment.present" in query:
        filters.append(lambda item: item["comment"] is not None)
    if "comment.absent" in query:
        filters.append(lambda item: item["comment"] is None)
    if query.get("type"):
        filters.append(lambda item: item["type"] == query["type"].upper())
    if (proxied := request.flag("proxied")) is not None:
        filters.append(lambda item: item["proxied"] is proxied)
    return filters


def _text(field: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda item: item[field] or ""


def _tag_filters(query: Mapping[str, str]) -> list[Filter]:
    filters: list[Filter] = []
    for key in ("tag", *(f"tag.{test}" for test in TEXT_TESTS)):
        if said := query.get(key):
            name, _, wanted = said.partition(":")
            test = key.removeprefix("tag").removeprefix(".") or "exact"
            filters.append(_tagged(name, matches(test, wanted, lambda item: item["value"])))
    if present := query.get("tag.present"):
        filters.append(_tagged(present, lambda item: True))  # noqa: ARG005 - any value will do
    if absent := query.get("tag.absent"):
        has = _tagged(absent, lambda item: True)  # noqa: ARG005
        filters.append(lambda item: not has(item))
    return filters


def _tagged(name: str, test: Filter) -> Filter:
    def has(item: Mapping[str, Any]) -> bool:
        pairs = (tag.partition(":") for tag in item["tags"])
        return any(n.lower() == name.lower() and test({"value": v}) for n, _, v in pairs)

    return has


def _searched(item: Mapping[str, Any]) -> str:
    parts = [item["name"], item["content"], item["comment"] or "", *item["tags"]]
    return "\n".join(parts).lower()


def _since(before: DnsRecord | None, name: str, value: object, at: str) -> str | None:
    """When `name` got its value, None where it has none: `at`, unless it had the same before."""
    if not value:
        return None
    if before is not None and getattr(before, name) == value:
        known: str | None = getattr(before, f"{name}_modified_on")
        return known
    return at


def _priority(kind: str, value: object) -> int | None:
    if value is None and kind not in {"MX", "URI"}:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise refused(9101, "priority must be between 0 and 65535.")
    return value


def _data(value: object) -> Json | None:
    if value is not None and not isinstance(value, dict):
        raise refused(9101, "data must be an object.")
    return value


def _settings(value: object) -> dict[str, bool]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(on, bool) for on in value.values()):
        raise refused(9302, "settings must be an object of true and false.")
    return dict(value)
