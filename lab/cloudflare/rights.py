"""Who asks, and what the token's rights allow. The rights are those of the world file."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lab.cloudflare.errors import ApiError
from lab.cloudflare.state import State
from lab.world.cloudflare import ApiToken, Cloudflare

_BEARER = re.compile(r"Bearer ([0-9A-Za-z_.\-]+)")
_KEY = re.compile(r"[0-9a-f]{37,45}")


@dataclass(frozen=True)
class Caller:
    """A known token, by its name in the world, with the ids of what its rights hold for."""

    name: str
    token: ApiToken
    world: Cloudflare

    def may(self, right: str, place: str) -> bool:
        """Whether the token has `right` on the account or zone with the id `place`.

        To write includes to read.
        """
        rights = {right, right.replace(" Read", " Write")}
        return any(
            place in self._ids(name)
            for held, names in self.token.rights.items()
            if held in rights
            for name in names
        )

    def knows(self, place: str) -> bool:
        """Whether the token has any right on the account or zone with the id `place`."""
        return any(
            place in self._ids(name) for names in self.token.rights.values() for name in names
        )

    def _ids(self, name: str) -> set[str]:
        account = self.world.accounts.get(name)
        if account is None:
            return {self.world.zone_id(name)}
        zones = {
            self.world.zone_id(z) for z, zone in self.world.zones.items() if zone.account == name
        }
        return {account.id, *zones}


class Authenticator:
    """Finds the caller of a request by its headers."""

    def __init__(self, world: Cloudflare, state: State) -> None:
        self._world = world
        self._state = state

    def caller(self, headers: Mapping[str, str]) -> Caller | None:
        """Who asks; None for a token that is well formed and not known.

        Raises ApiError where the headers name nobody, or not well.
        """
        text = headers.get("Authorization")
        if text is None:
            raise _nobody(headers)
        if (found := _BEARER.fullmatch(text)) is None:
            raise _bad_header(6111, "Invalid format for Authorization header")
        for name, record in self._state.tokens.items():
            if hmac.compare_digest(record.value.encode(), found[1].encode()):
                return Caller(name, self._world.tokens[name], self._world)
        return None


def _nobody(headers: Mapping[str, str]) -> ApiError:
    key = headers.get("X-Auth-Key")
    if key is None:
        return ApiError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
    if not _KEY.fullmatch(key):
        return _bad_header(6103, "Invalid format for X-Auth-Key header")
    if not headers.get("X-Auth-Email"):
        return _bad_header(6102, "Invalid format for X-Auth-Email header")
    return ApiError(403, 9103, "Unknown X-Auth-Key or X-Auth-Email")


def _bad_header(code: int, text: str) -> ApiError:
    return ApiError(400, 6003, "Invalid request headers", chain=((code, text),))
