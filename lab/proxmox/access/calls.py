"""The calls on tickets, roles, permissions and the access list."""

import hmac
from typing import Literal

from lab.proxmox.access.privileges import BUILT_IN_ROLES, PRIVILEGES
from lab.proxmox.access.rights import normalize
from lab.proxmox.call import Handler, Request, Rows, Values
from lab.proxmox.core import Core
from lab.proxmox.errors import UnauthorizedError, died, forbidden
from lab.proxmox.formats import split_list
from lab.proxmox.state import AclRecord

_TOP = ("/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms")
_CAPS = {"access": "/access", "dc": "/", "nodes": "/nodes", "storage": "/storage", "vms": "/vms"}
_CAPS |= {"mapping": "/mapping", "sdn": "/sdn"}


def handlers(core: Core) -> dict[str, Handler]:
    """The calls by name."""
    calls = _AccessCalls(core)
    return {
        "GET /access": calls.index,
        "GET /access/ticket": calls.no_ticket,
        "POST /access/ticket": calls.login,
        "GET /access/permissions": calls.permissions,
        "GET /access/roles": calls.roles,
        "POST /access/roles": calls.add_role,
        "GET /access/roles/{roleid}": calls.role,
        "PUT /access/roles/{roleid}": calls.change_role,
        "DELETE /access/roles/{roleid}": calls.delete_role,
        "GET /access/acl": calls.acl,
        "PUT /access/acl": calls.change_acl,
    }


class _AccessCalls:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._state = core.store.state

    async def index(self, _: Request) -> Rows:
        names = ("acl", "password", "permissions", "roles", "ticket", "users")
        return [{"subdir": name} for name in names]

    async def no_ticket(self, _: Request) -> None:
        return None

    async def login(self, request: Request) -> Values:
        userid, realm = request["username"], request.get("realm")
        if realm is not None and not userid.endswith(f"@{realm}"):
            userid = f"{userid}@{realm}"
        if not self._is_password(userid, request["password"]):
            raise UnauthorizedError("authentication failure", with_body=True)
        tickets = self._core.tickets
        if (path := request.get("path")) is not None:
            privileges = split_list(request.get("privs", ""))
            held = self._core.rights.privileges(userid, path)
            if any(name not in held for name in privileges):
                raise forbidden(f"{path}, {','.join(privileges)}")
            return {"username": userid}
        return {
            "username": userid,
            "ticket": tickets.ticket(userid),
            "CSRFPreventionToken": tickets.csrf(userid),
            "cap": self._capabilities(userid),
        }

    def _is_password(self, userid: str, password: str) -> bool:
        user = self._state.users.get(userid)
        if user is None or not self._core.rights.is_enabled(userid):
            return False
        if password.startswith("PVE:"):
            return self._core.tickets.user_of(password) == userid
        return user.password is not None and hmac.compare_digest(
            user.password.encode(), password.encode()
        )

    def _capabilities(self, userid: str) -> Values:
        rights = self._core.rights
        return {
            name: {key: int(down) for key, down in rights.privileges(userid, path).items()}
            for name, path in _CAPS.items()
        }

    async def permissions(self, request: Request) -> Values:
        auth_id = request.get("userid", request.caller.auth_id)
        own = auth_id.partition("!")[0] == request.caller.userid
        if not own:
            request.caller.require("/access", "Sys.Audit")
        if auth_id.partition("!")[0] not in self._state.users:
            raise died(f"no such user ('{auth_id.partition('!')[0]}')")
        if (path := request.get("path")) is not None:
            paths = [normalize(path)]
        else:
            paths = sorted({*_TOP, *(entry.path for entry in self._state.acl)})
        found = {path: self._core.rights.privileges(auth_id, path) for path in paths}
        return {
            path: {name: int(down) for name, down in sorted(held.items())}
            for path, held in found.items()
            if held or request.get("path") is not None
        }

    async def roles(self, _: Request) -> Rows:
        named = {**self._state.roles, **BUILT_IN_ROLES}
        return [
            {
                "roleid": name,
                "privs": ",".join(sorted(named[name])),
                "special": int(name in BUILT_IN_ROLES),
            }
            for name in sorted(named)
        ]

    async def role(self, request: Request) -> Values:
        roleid = request["roleid"]
        if roleid not in BUILT_IN_ROLES and roleid not in self._state.roles:
            raise died(f"role '{roleid}' does not exist")
        return dict.fromkeys(sorted(self._core.rights.role_privileges(roleid)), 1)

    async def add_role(self, request: Request) -> None:
        roleid = request["roleid"]
        if roleid in BUILT_IN_ROLES or roleid in self._state.roles:
            raise died(f"create role failed: role '{roleid}' already exists")
        if roleid.startswith("PVE"):
            raise died("create role failed: role IDs must not start with 'PVE' (reserved)")
        self._state.roles[roleid] = _privileges(request, "create")
        self._core.store.save()

    async def change_role(self, request: Request) -> None:
        roleid = request["roleid"]
        self._require_own(roleid, "update")
        privileges = _privileges(request, "update")
        kept = self._state.roles[roleid] if request.flag("append") else []
        self._state.roles[roleid] = sorted({*kept, *privileges})
        self._core.store.save()

    async def delete_role(self, request: Request) -> None:
        roleid = request["roleid"]
        self._require_own(roleid, "delete")
        del self._state.roles[roleid]
        self._state.acl[:] = [entry for entry in self._state.acl if entry.role != roleid]
        self._core.store.save()

    def _require_own(self, roleid: str, verb: str) -> None:
        if roleid in BUILT_IN_ROLES:
            raise died(f"{verb} role failed: auto-generated role '{roleid}' cannot be modified")
        if roleid not in self._state.roles:
            raise died(f"{verb} role failed: role '{roleid}' does not exist")

    async def acl(self, request: Request) -> Rows:
        all_paths = request.caller.has("/access", "Sys.Audit", "Permissions.Modify", any_of=True)
        return [
            {
                "path": entry.path,
                "type": entry.kind,
                "ugid": entry.subject,
                "roleid": entry.role,
                "propagate": int(entry.propagate),
            }
            for entry in self._state.acl
            if all_paths or request.caller.has(entry.path, "Permissions.Modify")
        ]

    async def change_acl(self, request: Request) -> None:
        path = normalize(request["path"])
        subjects = self._subjects(request)
        if not subjects:
            raise died("ACL update failed: neither users nor tokens are specified")
        roles = split_list(request["roles"])
        for role in roles:
            if role not in BUILT_IN_ROLES and role not in self._state.roles:
                raise died(f"ACL update failed: role '{role}' does not exist")
        propagate = request.flag("propagate", default=True)
        for kind, subject in subjects:
            for role in roles:
                self._drop(path, subject, role)
                if not request.flag("delete"):
                    self._state.acl.append(
                        AclRecord(
                            path=path, kind=kind, subject=subject, role=role, propagate=propagate
                        )
                    )
        self._core.store.save()

    def _subjects(self, request: Request) -> list[tuple[Literal["user", "token"], str]]:
        if request.get("groups") is not None:
            raise died(f"ACL update failed: group '{request['groups']}' does not exist")
        users = split_list(request.get("users", ""))
        tokens = split_list(request.get("tokens", ""))
        for user in users:
            if user not in self._state.users:
                raise died(f"ACL update failed: user '{user}' does not exist")
        for token in tokens:
            userid, _, name = token.partition("!")
            owner = self._state.users.get(userid)
            if owner is None or name not in owner.tokens:
                raise died(f"ACL update failed: no such token '{name}' for user '{userid}'")
        return [*(("user", user) for user in users), *(("token", token) for token in tokens)]

    def _drop(self, path: str, subject: str, role: str) -> None:
        self._state.acl[:] = [
            entry
            for entry in self._state.acl
            if (entry.path, entry.subject, entry.role) != (path, subject, role)
        ]


def _privileges(request: Request, verb: str) -> list[str]:
    names = split_list(request.get("privs", ""))
    for name in names:
        if name not in PRIVILEGES:
            raise died(f"{verb} role failed: invalid privilege '{name}'")
    return sorted(set(names))
