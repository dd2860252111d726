"""Look-ups of tunnels and records, and the list of all look-ups."""

from collections.abc import Iterator, Mapping

from lab.doubles.bridged.answers import state_read
from lab.doubles.bridged.attributes import Kind, Many, Nested, Tf, output
from lab.doubles.bridged.check import Fault
from lab.doubles.bridged.resource import BridgedFunction
from lab.doubles.cloudflare.client import Client
from lab.doubles.cloudflare.configuration import CONFIG
from lab.doubles.cloudflare.dns_record import SETTINGS
from lab.doubles.cloudflare.lookups import (
    all_pages,
    argument,
    one_or_the_other,
    only,
    query_of,
    require_one,
    texts,
)
from lab.doubles.cloudflare.tunnel import OUTPUTS
from lab.doubles.cloudflare.zone import Zone

_OF_A_TUNNEL = (argument("account_id", required=True), argument("tunnel_id", required=True))
_TUNNEL = (output("id"), output("config_src"), output("name"), *OUTPUTS)
_TUNNEL_FILTER = (
    argument("exclude_prefix"),
    argument("existed_at"),
    argument("include_prefix"),
    argument("is_deleted", Kind.BOOL),
    argument("name"),
    argument("status"),
    argument("uuid"),
    argument("was_active_at"),
    argument("was_inactive_at"),
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
        argument("account_id", required=True),
        argument("tunnel_id"),
        argument("filter", Nested(_TUNNEL_FILTER)),
    )
    outputs = _TUNNEL

    def further_faults(self, config: Tf) -> Iterator[Fault]:
        yield from one_or_the_other(config, "tunnel_id", "filter")

    async def call(self, api: Client, config: Tf) -> Tf:
        require_one(config, "tunnel_id", "filter")
        path = f"/accounts/{config['account_id']}/cfd_tunnel"
        found = config["tunnel_id"]
        if found is None:
            found = (await only(api, path, query_of(config["filter"])))["id"]
        answer = await api.result("GET", f"{path}/{found}")
        return config | {"tunnel_id": found} | state_read(self.outputs, {}, answer or {})


class Tunnels(BridgedFunction[Client]):
    """The tunnels of an account."""

    inputs = (
        argument("account_id", required=True),
        argument("max_items", Kind.NUMBER),
        *_TUNNEL_FILTER,
    )
    outputs = (output("results", Many(Nested(_TUNNEL))),)

    async def call(self, api: Client, config: Tf) -> Tf:
        path = f"/accounts/{config['account_id']}/cfd_tunnel"
        query = query_of({k: v for k, v in config.items() if k not in {"account_id", "max_items"}})
        found = await all_pages(api, path, query, config["max_items"])
        return config | state_read(self.outputs, {}, {"results": found})


_COMMENT = ("absent", "contains", "endswith", "exact", "present", "startswith")
_NAME = ("contains", "endswith", "exact", "startswith")


class DnsRecords(BridgedFunction[Client]):
    """The records of a zone."""

    inputs = (
        argument("zone_id", required=True),
        argument("comment", texts(_COMMENT)),
        argument("content", texts(_NAME)),
        argument("direction"),
        argument("include_shadow_metadata", Kind.BOOL),
        argument("match"),
        argument("max_items", Kind.NUMBER),
        argument("name", texts(_NAME)),
        argument("order"),
        argument("proxied", Kind.BOOL),
        argument("search"),
        argument("shadowed_by_name"),
        argument("shadowing_name"),
        argument("tag", texts(_COMMENT)),
        argument("tag_match"),
        argument("type"),
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
        query = query_of({k: v for k, v in config.items() if k not in {"zone_id", "max_items"}})
        found = await all_pages(api, path, query, config["max_items"])
        return config | state_read(self.outputs, {}, {"results": found})


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
