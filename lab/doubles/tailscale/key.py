"""Keys that machines join with."""

from collections.abc import Iterator
from typing import Any

from lab.doubles.bridged.attributes import (
    Attribute,
    Kind,
    Many,
    Replace,
    Tf,
    Validator,
    one_of,
    output,
)
from lab.doubles.bridged.plan import Plan
from lab.doubles.provider import Refused
from lab.doubles.tailscale.by_id import ById
from lab.doubles.tailscale.client import Client, HttpRefused, telling
from lab.doubles.values import UNKNOWN, Value

Json = dict[str, Any]
TAGS = Many(Kind.STRING, unordered=True)
_LONGEST_DESCRIPTION = 50
_AUTH = "auth"


def at_most(length: int) -> Validator:
    """A text of at most `length` characters."""

    def check(path: str, value: Value) -> Iterator[str]:
        if isinstance(value, str) and len(value.encode()) > length:
            yield (
                f"Invalid Attribute Value Length. Attribute {path} string length must be at most "
                f"{length}, got: {len(value.encode())}"
            )

    return check


def _flag(name: str) -> Attribute:
    return Attribute(name, Kind.BOOL, computed=True, default=False, replaces=Replace.ALWAYS)


class TailnetKey(ById):
    """A key; the API never changes one, and tells its secret only once."""

    attributes = (
        output("id", keeps=True),
        _flag("reusable"),
        _flag("ephemeral"),
        _flag("preauthorized"),
        Attribute("tags", TAGS, computed=True, default=[], replaces=Replace.ALWAYS),
        Attribute("expiry", Kind.NUMBER, computed=True, keeps=True, replaces=Replace.ALWAYS),
        Attribute(
            "description",
            computed=True,
            default="",
            replaces=Replace.ALWAYS,
            validators=(at_most(_LONGEST_DESCRIPTION),),
        ),
        Attribute(
            "recreate_if_invalid", validators=(one_of("", "always", "never", any_case=False),)
        ),
        Attribute("user_id", computed=True, keeps=True),
        output("created_at", keeps=True),
        output("expires_at", keeps=True),
        output("invalid", Kind.BOOL, keeps=True),
        output("key", keeps=True, secret=True),
    )

    def modify(self, plan: Plan) -> None:
        if plan.prior is None or plan.planned["invalid"] is not True:
            return
        wanted = plan.planned["recreate_if_invalid"]
        # A key that can be used only once is expected to be used.
        if wanted == "always" or (wanted != "never" and plan.planned["reusable"] is True):
            plan.planned["id"] = UNKNOWN
            plan.replaces.add("id")

    async def create(self, api: Client, planned: Tf) -> Tf:
        names = ("reusable", "ephemeral", "preauthorized", "tags")
        expiry = planned["expiry"]
        body = {
            "capabilities": {"devices": {"create": {name: planned[name] for name in names}}},
            "description": planned["description"],
            "expirySeconds": int(expiry) if isinstance(expiry, float) else 0,
        }
        with telling("Failed to create key: Error creating tailnet key"):
            answer = await api.ask("POST", f"{api.tailnet}/keys", body)
        made = {**planned, **_told(answer), "key": answer.get("key", "")}
        if not isinstance(expiry, float):
            made["expiry"] = _expiry(answer)
        return made | {"invalid": answer.get("invalid", False)}

    async def read(self, api: Client, state: Tf) -> Tf | None:
        answer = await self._fetch(api, state)
        if answer is None:
            return {**state, "invalid": True}
        if (kind := answer.get("keyType") or _AUTH) != _AUTH:
            raise Refused(
                f"Invalid key type '{kind}': Only 'auth' keys are supported by this resource"
            )
        create = answer.get("capabilities", {}).get("devices", {}).get("create", {})
        return {
            **state,
            **_told(answer),
            **{n: create.get(n, False) for n in ("reusable", "ephemeral", "preauthorized")},
            "tags": list(create.get("tags") or []),
            "description": answer.get("description", ""),
            "expiry": _expiry(answer),
            "invalid": answer.get("invalid", False),
        }

    async def update(self, api: Client, prior: Tf, planned: Tf) -> Tf:
        answer = await self._fetch(api, prior)
        return {**planned, "invalid": answer is None or answer.get("invalid", False)}

    async def delete(self, api: Client, state: Tf) -> None:
        with telling(f"Failed to delete key: Error deleting tailnet key with id {_twice(state)}"):
            try:
                await api.ask("DELETE", f"{api.tailnet}/keys/{state['id']}")
            except HttpRefused as error:
                if not error.is_not_found:
                    raise

    async def _fetch(self, api: Client, state: Tf) -> Json | None:
        """The key as the API has it; None where it is gone."""
        with telling(f"Failed to fetch key: Error reading tailnet key with id {_twice(state)}"):
            try:
                answer: Json = await api.ask("GET", f"{api.tailnet}/keys/{state['id']}")
            except HttpRefused as error:
                if not error.is_not_found:
                    raise
                return None
        return answer


def _told(answer: Json) -> Tf:
    return {
        "id": answer.get("id", ""),
        "created_at": answer.get("created", ""),
        "expires_at": answer.get("expires", ""),
        "user_id": answer.get("userId", ""),
    }


def _expiry(answer: Json) -> float:
    return float(answer.get("expirySeconds") or 0)


def _twice(state: Tf) -> str:
    """The real provider quotes an id that is quoted already."""
    return f'"\\"{state["id"]}\\""'
