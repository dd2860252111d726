"""What a stack file says about Cloudflare and Tailscale. Tolerant, as stack_facts is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CloudflareFacts:
    """The account's id and the zone's name, where it says them."""

    account: str | None
    zone: str | None


@dataclass(frozen=True)
class TailnetFacts:
    """The tailnet's name, and the tags that its keys carry."""

    name: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True)
class CloudFacts:
    """None for what the stack has nothing of; `roles` are its secrets that the lab replaces."""

    cloudflare: CloudflareFacts | None
    tailnet: TailnetFacts | None
    roles: frozenset[str]


def read_clouds(config: Mapping[str, Any]) -> CloudFacts:
    """The facts of a stack file's `config`."""
    cloudflare, tailnet = config.get("berth:cloudflare"), config.get("berth:tailnet")
    roles: list[object] = []
    cloudflare_facts = tailnet_facts = None
    if isinstance(cloudflare, dict):
        roles.append(cloudflare.get("api_token"))
        cloudflare_facts = CloudflareFacts(
            _text(cloudflare.get("account")), _text(cloudflare.get("zone"))
        )
    if isinstance(tailnet, dict):
        roles += [tailnet.get("api_key"), tailnet.get("oauth_client_secret")]
        tailnet_facts = TailnetFacts(
            _text(tailnet.get("name")), tuple(dict.fromkeys(_tags(tailnet.get("keys"))))
        )
    return CloudFacts(
        cloudflare_facts, tailnet_facts, frozenset(each for each in roles if isinstance(each, str))
    )


def _tags(keys: object) -> Iterator[str]:
    for key in keys.values() if isinstance(keys, dict) else ():
        tags = key.get("tags") if isinstance(key, dict) else None
        for tag in tags if isinstance(tags, list) else ():
            if isinstance(tag, str):
                yield tag


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
