"""Cloudflare and Tailscale as a stack needs them."""

from dataclasses import dataclass

from lab.world import base, cloudflare, tailscale
from lab.world.cloud_facts import CloudFacts, CloudflareFacts, TailnetFacts
from lab.world.fitting_stores import fits_model

_USUAL_ACCOUNT = "0123456789abcdef0123456789abcdef"
_USUAL_TAILNET = "example.org"
_CLIENTS_TAG = "tag:deploy"


@dataclass(frozen=True)
class CloudflareFit:
    """An account, and its zone where there is one."""

    account: str
    zone: str | None


@dataclass(frozen=True)
class TailnetFit:
    """A tailnet, and the tags that its policy knows."""

    name: str
    tags: list[str]


@dataclass(frozen=True)
class CloudFit:
    """None for what the stack has nothing of."""

    cloudflare: CloudflareFit | None
    tailnet: TailnetFit | None


def fit_clouds(facts: CloudFacts, notes: list[str]) -> CloudFit:
    """Everything that the stack names, and that a world can hold."""
    return CloudFit(
        _cloudflare(facts.cloudflare, notes) if facts.cloudflare else None,
        _tailnet(facts.tailnet, notes) if facts.tailnet else None,
    )


def _cloudflare(facts: CloudflareFacts, notes: list[str]) -> CloudflareFit:
    account, zone = facts.account, facts.zone
    if account is None or not fits_model(cloudflare.CloudflareId, account):
        notes.append(f"cloudflare/account: is no id of an account; the lab's is {_USUAL_ACCOUNT}")
        account = _USUAL_ACCOUNT
    zone = zone.lower() if zone else None
    if zone is None or "." not in zone or not fits_model(base.DnsName, zone):
        notes.append("cloudflare/zone: is no domain; the lab has none")
        zone = None
    return CloudflareFit(account, zone)


def _tailnet(facts: TailnetFacts, notes: list[str]) -> TailnetFit:
    name = facts.name
    if name is None or name == "-":
        name = _USUAL_TAILNET
        notes.append(f"tailnet/name: is left open; the lab's tailnet is {name}")
    elif not fits_model(base.DnsName, name):
        notes.append(f"tailnet/name: {name!r} cannot be a world's; the lab's is {_USUAL_TAILNET}")
        name = _USUAL_TAILNET
    tags = [_CLIENTS_TAG]
    for tag in facts.tags:
        if not fits_model(tailscale.Tag, tag):
            notes.append(f"tailnet/keys: {tag!r} is no tag; left out")
        elif tag not in tags:
            tags.append(tag)
    return TailnetFit(name, tags)
