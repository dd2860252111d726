"""Look-ups."""

from collections.abc import Mapping
from typing import Any

from lab.doubles.bridged.answers import state_read
from lab.doubles.bridged.attributes import Attribute, Kind, Many, Nested, Tf, Type, one_of, output
from lab.doubles.bridged.resource import BridgedFunction
from lab.doubles.cloudflare.client import Client
from lab.doubles.cloudflare.configuration import CONFIG
from lab.doubles.cloudflare.dns_record import SETTINGS
from lab.doubles.cloudflare.tunnel import OUTPUTS
from lab.doubles.provider import Refused
from lab.doubles.values import Value

_MOST_RESULTS = 1000


def _argument(name: str, type_: Type = Kind.STRING, *, required: bool = False) -> Attribute:
    return Attribute(name, type_, required=required, answered=False)


_OF_A_TUNNEL = (_argument("account_id", required=True), _argument("tunnel_id", required=True))
_TUNNEL = (output("id"), output("config_src"), output("name"), *OUTPUTS)
_TUNNEL_FILTER = (
    _argument("exclude_prefix"),
    _argument("existed_at"),
    _argument("include_prefix"),
    _argument("is_deleted", Kind.BOOL),
    _argument("name"),
    _argument("status"),
    _argument("uuid"),
    _argument("was_active_at"),
    _argument("was_inactive_at"),
)


class TunnelToken(BridgedFunction[Client]):
    """The token of a tunnel's connectors."""

    inputs = _OF_A_TUNNEL
    outputs = (output("token"),)

    async def call(self, api: Client, config: Tf) -> Tf:
        return {**config, "token": await api.result("GET", f"{_path(config)}/token")}


class TunnelConfiguration(BridgedFunction[Client]):
    """The configuration of a tunnel."""

    inputs = _OF_A_TUNNEL
    outputs = (
        output("config", CONFIG),
        output("created_at"),
        output("source"),
        output("version", Kind.NUMBER),
    )

    async def call(self, api: Client, config: Tf) -> Tf:
        answer = await api.result("GET", f"{_path(config)}/configurations")
        return config | state_read(self.outputs, {}, answer or {})


class Tunnel(BridgedFunction[Client]):
    """One tunnel, by id or by a filter that finds exactly one."""

    inputs = (
        _argument("account_id", required=True),
        _argument("tunnel_id"),
        _argument("filter", Nested(_TUNNEL_FILTER)),
    )
    outputs = _TUNNEL

    async def call(self, api: Client, config: Tf) -> Tf:
        _require_one(config, "tunnel_id", "filter")
        path = f"/accounts/{config['account_id']}/cfd_tunnel"
        found = config["tunnel_id"]
        if found is None:
            found = (await _only(api, path, _query(config["filter"])))["id"]
        answer = await api.result("GET", f"{path}/{found}")
        return config | {"tunnel_id": found} | state_read(self.outputs, {}, answer or {})


class Tunnels(BridgedFunction[Client]):
    """The tunnels of an account."""

    inputs = (
        _argument("account_id", required=True),
        _argument("max_items", Kind.NUMBER),
        *_TUNNEL_FILTER,
    )
    outputs = (output("results", Many(Nested(_TUNNEL))),)

    async def call(self, api: Client, config: Tf) -> Tf:
        path = f"/accounts/{config['account_id']}/cfd_tunnel"
        query = _query({k: v for k, v in config.items() if k not in {"account_id", "max_items"}})
        found = await _all(api, path, query, config["max_items"])
        return config | state_read(self.outputs, {}, {"results": found})


_COMMENT = ("absent", "contains", "endswith", "exact", "present", "startswith")
_NAME = ("contains", "endswith", "exact", "startswith")


def _texts(names: tuple[str, ...]) -> Nested:
    return Nested(tuple(_argument(name) for name in names))


class DnsRecords(BridgedFunction[Client]):
    """The records of a zone."""

    inputs = (
        _argument("zone_id", required=True),
        _argument("comment", _texts(_COMMENT)),
        _argument("content", _texts(_NAME)),
        _argument("direction"),
        _argument("include_shadow_metadata", Kind.BOOL),
        _argument("match"),
        _argument("max_items", Kind.NUMBER),
        _argument("name", _texts(_NAME)),
        _argument("order"),
        _argument("proxied", Kind.BOOL),
        _argument("search"),
        _argument("shadowed_by_name"),
        _argument("shadowing_name"),
        _argument("tag", _texts(_COMMENT)),
        _argument("tag_match"),
        _argument("type"),
    )
    outputs = (
        output(
            "results",
            Many(
                Nested(
                    (
                        output("id"),
                        output("comment"),
                        output("comment_modified_on"),
                        output("content"),
                        output("created_on"),
                        output("data", Kind.ANY),
                        output("meta", Kind.JSON),
                        output("modified_on"),
                        output("name"),
                        output("priority", Kind.NUMBER),
                        output("private_routing", Kind.BOOL),
                        output("proxiable", Kind.BOOL),
                        output("proxied", Kind.BOOL),
                        output("settings", SETTINGS),
                        output("tags", Many(Kind.STRING, unordered=True)),
                        output("tags_modified_on"),
                        output("ttl", Kind.NUMBER),
                        output("type"),
                    )
                )
            ),
        ),
    )

    async def call(self, api: Client, config: Tf) -> Tf:
        path = f"/zones/{config['zone_id']}/dns_records"
        query = _query({k: v for k, v in config.items() if k not in {"zone_id", "max_items"}})
        found = await _all(api, path, query, config["max_items"])
        return config | state_read(self.outputs, {}, {"results": found})


class Zone(BridgedFunction[Client]):
    """One zone, by id or by a filter that finds exactly one."""

    inputs = (
        _argument("zone_id"),
        _argument(
            "filter",
            Nested(
                (
                    _argument("account", _texts(("id", "name"))),
                    _argument("direction"),
                    Attribute("match", validators=(one_of("any", "all"),)),
                    _argument("name"),
                    _argument("order"),
                    _argument("status"),
                    _argument("types", Many(Kind.STRING)),
                )
            ),
        ),
    )
    outputs = (
        output("id"),
        output("account", Nested((output("id"), output("name")))),
        output("activated_on"),
        output("cname_suffix"),
        output("created_on"),
        output("development_mode", Kind.NUMBER),
        output(
            "meta",
            Nested(
                (
                    output("cdn_only", Kind.BOOL),
                    output("custom_certificate_quota", Kind.NUMBER),
                    output("dns_only", Kind.BOOL),
                    output("foundation_dns", Kind.BOOL),
                    output("page_rule_quota", Kind.NUMBER),
                    output("phishing_detected", Kind.BOOL),
                    output("step", Kind.NUMBER),
                )
            ),
        ),
        output("modified_on"),
        output("name"),
        output("name_servers", Many(Kind.STRING)),
        output("original_dnshost"),
        output("original_name_servers", Many(Kind.STRING)),
        output("original_registrar"),
        output("owner", Nested((output("id"), output("name"), output("type")))),
        output("paused", Kind.BOOL),
        output("permissions", Many(Kind.STRING)),
        output(
            "plan",
            Nested(
                (
                    output("id"),
                    output("can_subscribe", Kind.BOOL),
                    output("currency"),
                    output("externally_managed", Kind.BOOL),
                    output("frequency"),
                    output("is_subscribed", Kind.BOOL),
                    output("legacy_discount", Kind.BOOL),
                    output("legacy_id"),
                    output("name"),
                    output("price", Kind.NUMBER),
                )
            ),
        ),
        output("status"),
        output("tenant", Nested((output("id"), output("name")))),
        output("tenant_unit", Nested((output("id"),))),
        output("type"),
        output("vanity_name_servers", Many(Kind.STRING)),
        output("verification_key"),
    )

    async def call(self, api: Client, config: Tf) -> Tf:
        _require_one(config, "filter", "zone_id")
        found = config["zone_id"]
        if found is None:
            found = (await _only(api, "/zones", _query(config["filter"])))["id"]
        answer = await api.result("GET", f"/zones/{found}")
        return config | {"zone_id": found} | state_read(self.outputs, {}, answer or {})


FUNCTIONS: Mapping[str, BridgedFunction[Client]] = {
    f"cloudflare:index/{name}:{name}": function
    for name, function in (
        ("getDnsRecords", DnsRecords()),
        ("getZeroTrustTunnelCloudflared", Tunnel()),
        ("getZeroTrustTunnelCloudflaredConfig", TunnelConfiguration()),
        ("getZeroTrustTunnelCloudflaredToken", TunnelToken()),
        ("getZeroTrustTunnelCloudflareds", Tunnels()),
        ("getZone", Zone()),
    )
}


def _path(config: Tf) -> str:
    return f"/accounts/{config['account_id']}/cfd_tunnel/{config['tunnel_id']}"


def _query(said: Value) -> dict[str, Any]:
    """Filters as a query: parts of objects with a dot."""
    query: dict[str, Any] = {}
    for name, value in said.items() if isinstance(said, dict) else ():
        if isinstance(value, dict):
            query |= {f"{name}.{part}": inner for part, inner in _query(value).items()}
        elif isinstance(value, list):
            query[name] = ",".join(str(each) for each in value)
        elif value is not None:
            query[name] = value
    return query


async def _only(api: Client, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
    found = await api.result("GET", path, query=query) or []
    if len(found) != 1:
        raise Refused(f"failed to find exactly one result: {len(found)} found")
    one: dict[str, Any] = found[0]
    return one


async def _all(
    api: Client, path: str, query: Mapping[str, Any], most: Value
) -> list[dict[str, Any]]:
    limit = int(most) if isinstance(most, float) and most > 0 else _MOST_RESULTS
    found: list[dict[str, Any]] = []
    page = 1
    while len(found) < limit:
        more = {} if page == 1 else {"page": page}
        part = await api.result("GET", path, query={**query, **more}) or []
        if not part:
            break
        found += part
        page += 1
    return found[:limit]


def _require_one(config: Tf, *names: str) -> None:
    said = [name for name in names if config[name] is not None]
    if len(said) != 1:
        summary = "Invalid Attribute Combination" if said else "Missing Attribute Configuration"
        raise Refused(
            f"{summary}: Exactly one of these attributes must be configured: [{','.join(names)}]"
        )
