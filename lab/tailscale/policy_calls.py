"""The policy of a tailnet: read, replaced whole, checked."""

import hashlib
import json

from lab.bodies import BodyError, require_keepable
from lab.hujson import HujsonError, standardize
from lab.tailscale.call import Call, Request, Text, reads, writes
from lab.tailscale.core import Core
from lab.tailscale.errors import ApiError
from lab.tailscale.policy_form import faults
from lab.tailscale.state import Json

_POLICY = "/tailnet/{tailnet}/acl"
_DEFAULT = '"ts-default"'


class PolicyCalls:
    """The calls on the policy."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def calls(self) -> list[Call]:
        return [
            reads(_POLICY, self.read, "policy_file"),
            writes("POST", _POLICY, self.replace, "policy_file"),
            Call("POST", f"{_POLICY}/validate", self.validate, "policy_file", write=False),
        ]

    async def read(self, request: Request) -> Text:
        return self._answer(request)

    async def replace(self, request: Request) -> Text:
        # Nothing at all is how a client asks for the policy that a tailnet begins with.
        text = _readable(request) if request.raw.strip() else None
        wanted = request.headers.get("If-Match")
        record = self._core.record(request.caller.tailnet)
        if wanted is not None and wanted not in self._marks(request):
            raise ApiError(412, "precondition failed, invalid old hash")
        record.policy = text
        self._core.store.save()
        return self._answer(request)

    async def validate(self, request: Request) -> Json:
        try:
            _readable(request)
        except ApiError as error:
            return {"message": error.message}
        return {}

    def _answer(self, request: Request) -> Text:
        text = self._text(request)
        request.answer_headers["ETag"] = _mark(text)
        if "hujson" in request.headers.get("Accept", ""):
            return Text(text, "application/hujson")
        return Text(json.dumps(standardize(text)), "application/json")

    def _text(self, request: Request) -> str:
        policy = self._core.record(request.caller.tailnet).policy
        if policy is not None:
            return policy
        owners = self._core.world.tailnets[request.caller.tailnet].tag_owners
        usual = {
            "tagOwners": {tag: list(names) for tag, names in owners.items()},
            "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
        }
        return json.dumps(usual, indent=2)

    def _marks(self, request: Request) -> set[str]:
        marks = {_mark(self._text(request))}
        if self._core.record(request.caller.tailnet).policy is None:
            marks.add(_DEFAULT)
        return marks


def _mark(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()}"'


def _readable(request: Request) -> str:
    """The policy that is sent, as text; raises ApiError where it is none."""
    try:
        text = request.raw.decode()
        policy = standardize(text)
        require_keepable(policy)
    except RecursionError as error:
        raise ApiError(400, "invalid policy: exceeded max depth") from error
    except (UnicodeDecodeError, HujsonError, BodyError) as error:
        raise ApiError(400, f"invalid policy: {error}") from error
    for fault in faults(policy):
        raise ApiError(400, f"invalid policy: {fault}")
    return text
