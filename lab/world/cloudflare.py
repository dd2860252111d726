"""The part of a world file that says what is there at Cloudflare before any stack comes."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lab.world.base import DnsName, Name

CloudflareId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
AccountRight = Literal["Account Settings Read", "Cloudflare Tunnel Read", "Cloudflare Tunnel Write"]
ZoneRight = Literal["DNS Read", "DNS Write", "Zone Read", "Zone Write"]
TokenValue = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{40,80}$")]
_ZONE_RIGHTS = ("DNS Read", "DNS Write", "Zone Read", "Zone Write")


class Model(BaseModel):
    """Frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Account(Model):
    """An account; its id is what stack files name."""

    id: CloudflareId


class Zone(Model):
    """A domain; without `id` it has one that follows from its name."""

    account: Name
    id: CloudflareId | None = None


class ApiToken(Model):
    """An API token; without `value` the lab makes one and keeps it.

    `rights` are Cloudflare's names of permission groups, each with the accounts or zones (by
    their names here) it holds for; a right on zones that names an account holds for all zones of
    it. With `account` the token is owned by that account, else by a user.
    """

    rights: dict[AccountRight | ZoneRight, tuple[str, ...]] = {}
    account: Name | None = None
    value: TokenValue | None = None


class Cloudflare(Model):
    """Accounts, zones and tokens by name; `requests_per_5_minutes` is the limit of each token."""

    accounts: dict[Name, Account] = {}
    zones: dict[DnsName, Zone] = {}
    tokens: dict[Name, ApiToken] = {}
    requests_per_5_minutes: int = Field(default=1200, ge=1)

    def zone_id(self, name: str) -> str:
        """The id of the zone `name`."""
        return self.zones[name].id or hashlib.sha256(f"zone {name}".encode()).hexdigest()[:32]

    def problems(self) -> Iterator[str]:
        """Every name that is used but not defined, and every id that is used twice."""
        for name, zone in self.zones.items():
            if name != name.lower() or "." not in name:
                yield f"cloudflare/zones/{name}: is no domain in lower case"
            if zone.account not in self.accounts:
                yield (
                    f"cloudflare/zones/{name}/account: {zone.account} is not one of "
                    "cloudflare/accounts"
                )
        for name, token in self.tokens.items():
            yield from self._token_problems(f"cloudflare/tokens/{name}", token)
        ids = Counter(account.id for account in self.accounts.values())
        ids.update(self.zone_id(name) for name in self.zones)
        for twice in (one for one, count in ids.items() if count > 1):
            yield f"cloudflare: the id {twice} is used twice"

    def _token_problems(self, where: str, token: ApiToken) -> Iterator[str]:
        if token.account is not None and token.account not in self.accounts:
            yield f"{where}/account: {token.account} is not one of cloudflare/accounts"
        for right, places in token.rights.items():
            for place in places:
                if place in self.accounts or (right in _ZONE_RIGHTS and place in self.zones):
                    continue
                kinds = "accounts or zones" if right in _ZONE_RIGHTS else "accounts"
                yield f"{where}/rights/{right}: {place} is not one of cloudflare/{kinds}"
