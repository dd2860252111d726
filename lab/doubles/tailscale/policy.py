"""The policy of a tailnet."""

import uuid
from collections.abc import Iterator

from lab.doubles.bridged.attributes import Attribute, Kind, Tf, output
from lab.doubles.bridged.plan import Plan
from lab.doubles.provider import Refused
from lab.doubles.tailscale.by_id import ById
from lab.doubles.tailscale.client import Client, telling
from lab.doubles.values import Value
from lab.hujson import HujsonError, check, is_same

_UNTOUCHED = "ts-default"
_CHANGED = "(412)"
_PROTECTED = (
    "Overwrite Protected: You are trying to overwrite a non-default policy. Please import the ACL "
    "first or set overwrite_existing_content = true."
)


def _is_hujson(path: str, value: Value) -> Iterator[str]:
    try:
        check(str(value))
    except HujsonError as error:
        yield f"Invalid Attribute Value. Attribute {path} is invalid HuJSON, got: {error}"


class Acl(ById):
    """The policy. It is there in any case: made means replaced, deleted means left alone."""

    attributes = (
        output("id", keeps=True),
        Attribute(
            "acl",
            required=True,
            description=(
                "The policy that defines which devices and users are allowed to connect in your "
                "network. Can be either a JSON or a HuJSON string."
            ),
            validators=(_is_hujson,),
        ),
        Attribute("overwrite_existing_content", Kind.BOOL),
        Attribute("reset_acl_on_destroy", Kind.BOOL),
    )

    def modify(self, plan: Plan) -> None:
        before, said = (plan.prior or {}).get("acl"), plan.config["acl"]
        if isinstance(before, str) and isinstance(said, str) and is_same(before, said):
            plan.planned["acl"] = before

    async def create(self, api: Client, planned: Tf) -> Tf:
        mark = None if planned["overwrite_existing_content"] is True else _UNTOUCHED
        try:
            with telling("Failed to set ACL"):
                await api.set_policy(str(planned["acl"]), mark)
        except Refused as error:
            if str(error).endswith(_CHANGED):
                raise Refused(_PROTECTED) from error
            raise
        return {**planned, "id": str(uuid.uuid4())}

    async def update(self, api: Client, prior: Tf, planned: Tf) -> Tf:
        del prior
        with telling("Failed to update ACL"):
            await api.set_policy(str(planned["acl"]), None)
        return planned

    async def read(self, api: Client, state: Tf) -> Tf | None:
        with telling("Failed to fetch ACL"):
            return {**state, "acl": await api.policy()}

    async def delete(self, api: Client, state: Tf) -> None:
        if state["reset_acl_on_destroy"] is True:
            with telling("Failed to reset ACL"):
                await api.set_policy("", None)
