"""The part of a world file that says what is there at Tailscale before any stack comes."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from lab.world.base import DnsName, Name

Scope = Literal[
    "all",
    "all:read",
    "auth_keys",
    "auth_keys:read",
    "devices:core",
    "devices:core:read",
    "devices:routes",
    "devices:routes:read",
    "dns",
    "dns:read",
    "oauth_keys",
    "oauth_keys:read",
    "policy_file",
    "policy_file:read",
]
Tag = Annotated[str, StringConstraints(pattern=r"^tag:[a-zA-Z][a-zA-Z0-9-]*$")]
TailnetDomain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+\.ts\.net$")]
_GROUP = re.compile(r"autogroup:\w+|group:\S+|[^\s@]+@\S+|tag:[a-zA-Z][a-zA-Z0-9-]*")


class Model(BaseModel):
    """Frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ApiKey(Model):
    """A key of an admin of the tailnet; without `value` the lab makes one and keeps it."""

    value: Annotated[str, StringConstraints(pattern=r"^tskey-api-[\w-]+$")] | None = None


class OauthClient(Model):
    """A client of the tailnet itself: what it makes carries its tags, or tags that they own."""

    scopes: tuple[Scope, ...]
    tags: tuple[Tag, ...] = ()


class Tailnet(Model):
    """A tailnet; `tag_owners` is the part of its policy that says who may give which tag."""

    dns_name: TailnetDomain
    tag_owners: dict[Tag, tuple[str, ...]] = {}
    api_keys: dict[Name, ApiKey] = {}
    oauth_clients: dict[Name, OauthClient] = {}


class Tailscale(Model):
    """Tailnets by the name of their organisation."""

    tailnets: dict[DnsName, Tailnet] = {}

    def problems(self) -> Iterator[str]:
        """Every tag that is used but not defined, and every owner that can be none."""
        for name, tailnet in self.tailnets.items():
            where = f"tailscale/tailnets/{name}"
            for tag, owners in tailnet.tag_owners.items():
                for owner in owners:
                    if not _GROUP.fullmatch(owner):
                        yield f"{where}/tag_owners/{tag}: {owner} is no user, group or tag"
            for client, said in tailnet.oauth_clients.items():
                for tag in said.tags:
                    if tag not in tailnet.tag_owners:
                        yield f"{where}/oauth_clients/{client}: {tag} is not one of tag_owners"
