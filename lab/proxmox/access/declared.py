"""The right that a call declares: checked before its parameters are."""

import re
from collections.abc import Mapping

from lab.proxmox.access.rights import Caller, normalize
from lab.proxmox.errors import ApiError, forbidden
from lab.proxmox.schema import (
    AllOf,
    AnyOf,
    Check,
    IsSelf,
    MayModifyAcl,
    OnRealm,
    OnUserGroups,
    Perm,
)

_ACL_PRIVILEGES = {"storage": "Datastore.Allocate", "vms": "VM.Allocate", "pool": "Pool.Allocate"}


def require(check: Check, caller: Caller, params: Mapping[str, str]) -> None:
    """Raise the 403 of the first check that fails."""
    match check:
        case Perm(path, privileges, any_of):
            caller.require(_fill(path, params), *privileges, any_of=any_of)
        case AllOf(checks):
            for inner in checks:
                require(inner, caller, params)
        case AnyOf(checks):
            if not any(_holds(inner, caller, params) for inner in checks):
                raise forbidden()
        case IsSelf():
            if caller.auth_id != params.get("userid"):
                raise forbidden()
        case OnRealm(privilege):
            realm = params.get("userid", "").rpartition("@")[2]
            caller.require(f"/access/realm/{realm}", privilege)
        case OnUserGroups(privileges):
            caller.require("/access/groups", *privileges, any_of=True)
        case MayModifyAcl():
            _require_acl(caller, params.get("path", ""))


def _holds(check: Check, caller: Caller, params: Mapping[str, str]) -> bool:
    try:
        require(check, caller, params)
    except ApiError:
        return False
    return True


def _require_acl(caller: Caller, path: str) -> None:
    path = normalize(path)
    parts = path.strip("/").split("/")
    extra = _ACL_PRIVILEGES.get(parts[0]) if len(parts) > 1 else None
    caller.require(path, "Permissions.Modify", *([extra] if extra else []), any_of=True)


def _fill(template: str, params: Mapping[str, str]) -> str:
    return normalize(re.sub(r"\{(\w+)\}", lambda match: params.get(match[1], ""), template))
