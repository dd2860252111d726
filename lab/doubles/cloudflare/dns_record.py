"""DNS records, with their own say in a plan: what an answer spells otherwise is no change."""

from lab.doubles.bridged.attributes import (
    Attribute,
    Kind,
    Many,
    Nested,
    Replace,
    Tf,
    between,
    one_of,
    output,
)
from lab.doubles.bridged.plan import Plan, same
from lab.doubles.cloudflare.client import Client
from lab.doubles.cloudflare.standard import StandardResource
from lab.doubles.provider import Refused
from lab.doubles.values import UNKNOWN, Value

_TYPES = (
    "A",
    "AAAA",
    "CNAME",
    "MX",
    "NS",
    "OPENPGPKEY",
    "PTR",
    "TXT",
    "CAA",
    "CERT",
    "DNSKEY",
    "DS",
    "HTTPS",
    "LOC",
    "NAPTR",
    "SMIMEA",
    "SRV",
    "SSHFP",
    "SVCB",
    "TLSA",
    "URI",
)
_SETTINGS = ("flatten_cname", "ipv4_only", "ipv6_only")
SETTINGS = Nested(tuple(Attribute(name, Kind.BOOL) for name in _SETTINGS))
_AUTOMATIC_TTL = 1.0


class DnsRecord(StandardResource):
    """A record of a zone."""

    scope = ("zone_id",)
    import_form = "<zone_id>/<dns_record_id>"
    attributes = (
        output("id", keeps=True),
        Attribute(
            "zone_id",
            required=True,
            replaces=Replace.ALWAYS,
            description="Identifier.",
            sent=False,
            answered=False,
        ),
        Attribute(
            "ttl",
            Kind.NUMBER,
            required=True,
            description=(
                "Time To Live (TTL) of the DNS record in seconds. Setting to 1 means 'automatic'. "
                "Value must be between 60 and 86400, with the minimum reduced to 30 for "
                "Enterprise zones."
            ),
        ),
        Attribute(
            "name",
            required=True,
            description="DNS record name (or @ for the zone apex) in Punycode.",
        ),
        Attribute(
            "type",
            required=True,
            validators=(one_of(*_TYPES),),
            description=(
                "Record type. Available values: " + ", ".join(f'"{each}"' for each in _TYPES) + "."
            ),
        ),
        Attribute("comment"),
        Attribute("content", computed=True),
        Attribute("data", Kind.ANY),
        Attribute("priority", Kind.NUMBER, validators=(between(0, 65535),)),
        Attribute("private_routing", Kind.BOOL),
        Attribute("include_shadow_metadata", Kind.BOOL, sent=False, answered=False),
        Attribute("proxied", Kind.BOOL, computed=True, default=False),
        Attribute("settings", SETTINGS, computed=True),
        Attribute("tags", Many(Kind.STRING, unordered=True), computed=True),
        output("comment_modified_on"),
        output("created_on"),
        output("meta", Kind.JSON),
        output("modified_on"),
        output("proxiable", Kind.BOOL),
        output("tags_modified_on"),
    )

    def path(self, state: Tf) -> str:
        return f"/zones/{state['zone_id']}/dns_records"

    async def create(self, api: Client, planned: Tf) -> Tf:
        if planned["proxied"] is True and planned["ttl"] != _AUTOMATIC_TTL:
            raise Refused(
                "ttl must be set to 1 when `proxied` is true: When a DNS record is marked as "
                "`proxied` the TTL must be 1 as Cloudflare will control the TTL internally."
            )
        return await super().create(api, planned)

    def settle(self, state: Tf) -> Tf:
        if state["type"] == "CNAME":
            state["settings"] = _with_settings(state["settings"])
        return state

    def modify(self, plan: Plan) -> None:
        planned, prior = plan.planned, plan.prior
        if prior is not None:
            _keep_spelling(planned, prior)
            changed = self._is_changed(planned, prior)
            for name in ("created_on", "proxiable", "meta"):
                _keep(planned, prior, name)
            if not changed:
                _keep(planned, prior, "modified_on")
            if planned["settings"] in (None, UNKNOWN):
                planned["settings"] = prior["settings"]
            if not prior["tags"]:
                _keep(planned, prior, "tags")
        _follow(plan, "comment_modified_on", "comment")
        _follow(plan, "tags_modified_on", "tags")
        if planned["type"] == "CNAME" and planned["settings"] != UNKNOWN:
            planned["settings"] = _with_settings(planned["settings"])

    def _is_changed(self, planned: Tf, prior: Tf) -> bool:
        told = {"name", "type", "content", "ttl", "proxied", "priority", "comment", "data"}
        return (
            any(
                not same(a.type, prior.get(a.name), planned.get(a.name))
                for a in self.attributes
                if a.name in told
            )
            or (
                bool(planned["tags"] != UNKNOWN and (planned["tags"] or prior["tags"]))
                and not same(Many(Kind.STRING, unordered=True), prior["tags"], planned["tags"])
            )
            or (
                planned["settings"] not in (None, UNKNOWN)
                and _with_settings(planned["settings"]) != _with_settings(prior["settings"])
            )
        )


def _keep(planned: Tf, prior: Tf, name: str) -> None:
    if planned[name] == UNKNOWN:
        planned[name] = prior[name]


def _keep_spelling(planned: Tf, prior: Tf) -> None:
    name, known = planned["name"], prior["name"]
    if isinstance(name, str) and isinstance(known, str):
        short, whole = name.removesuffix("."), known.removesuffix(".")
        apex = name == "@" and known != "@" and "." in known
        if apex or (short != whole and whole.startswith(f"{short}.")):
            planned["name"] = known
    content, known = planned["content"], prior["content"]
    if (
        planned["type"] in {"CNAME", "NS", "PTR"}
        and isinstance(content, str)
        and isinstance(known, str)
        and content.lower() == known.lower()
    ):
        planned["content"] = known
    if content == UNKNOWN and planned["data"] is not None:
        planned["content"] = known


def _follow(plan: Plan, name: str, followed: str) -> None:
    """A time of change is as it was while what it tells of is, and null where there is none."""
    planned, prior = plan.planned, plan.prior
    if planned[name] != UNKNOWN:
        return
    if not planned[followed]:
        planned[name] = None
    elif prior is not None and planned[followed] == prior[followed]:
        planned[name] = prior[name]


def _with_settings(settings: Value) -> Value:
    known = settings if isinstance(settings, dict) else {}
    return {name: known.get(name) is True for name in _SETTINGS}
