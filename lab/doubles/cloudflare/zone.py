"""Zones: looked up, never made."""

from collections.abc import Iterator

from lab.doubles.bridged.answers import state_read
from lab.doubles.bridged.attributes import Attribute, Kind, Many, Nested, Tf, one_of, output
from lab.doubles.bridged.check import Fault
from lab.doubles.bridged.resource import BridgedFunction
from lab.doubles.cloudflare.client import Client
from lab.doubles.cloudflare.lookups import (
    argument,
    one_or_the_other,
    only,
    query_of,
    require_one,
    texts,
)


class Zone(BridgedFunction[Client]):
    """One zone, by id or by a filter that finds exactly one."""

    inputs = (
        argument("zone_id"),
        argument(
            "filter",
            Nested(
                (
                    argument("account", texts(("id", "name"))),
                    argument("direction"),
                    Attribute("match", validators=(one_of("any", "all"),)),
                    argument("name"),
                    argument("order"),
                    argument("status"),
                    argument("types", Many(Kind.STRING)),
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

    def further_faults(self, config: Tf) -> Iterator[Fault]:
        yield from one_or_the_other(config, "zone_id", "filter")

    async def call(self, api: Client, config: Tf) -> Tf:
        require_one(config, "zone_id", "filter")
        found = config["zone_id"]
        if found is None:
            found = (await only(api, "/zones", query_of(config["filter"])))["id"]
        answer = await api.result("GET", f"/zones/{found}")
        return config | {"zone_id": found} | state_read(self.outputs, {}, answer or {})
