"""Accounts, zones, and what a token says of itself."""

from collections.abc import Callable, Mapping
from typing import Any

from lab.cloudflare.call import Call, Request
from lab.cloudflare.core import Core
from lab.cloudflare.errors import ApiError, not_allowed
from lab.cloudflare.filters import combine, one_of, text_filter
from lab.cloudflare.state import Json

_SERVERS = ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"]
_TEXTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "name": lambda zone: str(zone["name"]),
    "account.id": lambda zone: str(zone["account"]["id"]),
    "account.name": lambda zone: str(zone["account"]["name"]),
}
_PLAN = {
    "id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
    "name": "Free Website",
    "price": 0,
    "currency": "USD",
    "frequency": "",
    "is_subscribed": False,
    "can_subscribe": False,
    "legacy_id": "free",
    "legacy_discount": False,
    "externally_managed": False,
}


class ZoneCalls:
    """The calls that look things up."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def calls(self) -> list[Call]:
        return [
            Call("GET", "/zones", self.zones),
            Call("GET", "/zones/{zone}", self.zone),
            Call("GET", "/accounts", self.accounts),
            Call("GET", "/accounts/{account}", self.account),
            Call("GET", "/user/tokens/verify", self.verify_user_token),
            Call("GET", "/accounts/{account}/tokens/verify", self.verify_account_token),
        ]

    async def zones(self, request: Request) -> list[Json]:
        query = request.query
        shown = [
            self._zone(name)
            for name in self._core.world.zones
            if request.caller.may("Zone Read", self._core.world.zone_id(name))
        ]
        filters = [text_filter(query[key], at) for key, at in _TEXTS.items() if query.get(key)] + [
            one_of(query[key].split(","), key) for key in ("status", "type") if query.get(key)
        ]
        shown = [zone for zone in shown if combine(filters, query.get("match", "all"), zone)]
        shown.sort(key=lambda z: str(z["name"]), reverse=query.get("direction") == "desc")
        return request.page(shown, usual=20, most=50)

    async def zone(self, request: Request) -> Json:
        for name in self._core.world.zones:
            if self._core.world.zone_id(name) == request.path["zone"]:
                if not request.caller.may("Zone Read", request.path["zone"]):
                    break
                return self._zone(name)
        raise _unauthorized()

    async def accounts(self, request: Request) -> list[Json]:
        shown = [
            self._account(name)
            for name, account in self._core.world.accounts.items()
            if request.caller.knows(account.id) and request.query.get("name", name).lower() == name
        ]
        return request.page(shown, usual=20, most=50)

    async def account(self, request: Request) -> Json:
        for name, account in self._core.world.accounts.items():
            if account.id == request.path["account"] and request.caller.may(
                "Account Settings Read", account.id
            ):
                return self._account(name)
        raise _unauthorized()

    async def verify_user_token(self, request: Request) -> Json:
        if request.caller.token.account is not None:
            raise ApiError(401, 1000, "Invalid API Token")
        return self._verified(request)

    async def verify_account_token(self, request: Request) -> Json:
        owner = request.caller.token.account
        if owner is None or self._core.world.accounts[owner].id != request.path["account"]:
            raise not_allowed() if owner is not None else ApiError(401, 1000, "Invalid API Token")
        return self._verified(request)

    def _verified(self, request: Request) -> Json:
        record = self._core.store.state.tokens[request.caller.name]
        return {"id": record.id, "status": "active"}

    def _account(self, name: str) -> Json:
        return {
            "id": self._core.world.accounts[name].id,
            "name": name,
            "type": "standard",
            "settings": {"enforce_twofactor": False, "abuse_contact_email": None},
            "created_on": self._core.store.state.started_on,
        }

    def _zone(self, name: str) -> Json:
        world, since = self._core.world, self._core.store.state.started_on
        account = world.zones[name].account
        return {
            "id": world.zone_id(name),
            "name": name,
            "status": "active",
            "paused": False,
            "type": "full",
            "development_mode": 0,
            "name_servers": _SERVERS,
            "original_name_servers": None,
            "original_registrar": None,
            "original_dnshost": None,
            "modified_on": since,
            "created_on": since,
            "activated_on": since,
            "meta": {
                "step": 2,
                "custom_certificate_quota": 0,
                "page_rule_quota": 3,
                "phishing_detected": False,
            },
            "owner": {"id": None, "type": "user", "email": None},
            "account": {"id": world.accounts[account].id, "name": account},
            "tenant": {"id": None, "name": None},
            "tenant_unit": {"id": None},
            "permissions": [],
            "plan": _PLAN,
        }


def _unauthorized() -> ApiError:
    return ApiError(403, 9109, "Unauthorized to access requested resource")
