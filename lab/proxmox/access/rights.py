"""What a user or token may do on a path: the access list, worked out as Proxmox does."""

import re
import time
from collections.abc import Iterable

from lab.proxmox.access.privileges import BUILT_IN_ROLES, PRIVILEGES
from lab.proxmox.errors import forbidden
from lab.proxmox.state import State

ROOT = "root@pam"


def normalize(path: str) -> str:
    """One slash between the parts, none at the end."""
    return "/" + "/".join(part for part in path.split("/") if part)


class Rights:
    """Answers questions about privileges from the state as it is now."""

    def __init__(self, state: State) -> None:
        self._state = state

    def privileges(self, auth_id: str, path: str) -> dict[str, bool]:
        """Privileges of a user or token on `path`, and whether each reaches further down."""
        path = normalize(path)
        userid, _, token = auth_id.partition("!")
        user = self._state.users.get(userid)
        if user is None or not self.is_enabled(userid):
            return {}
        own = self._of_roles(userid, path)
        if not token:
            return own
        record = user.tokens.get(token)
        if record is None:
            return {}
        if not record.privsep:
            return own
        granted = self._of_roles(auth_id, path)
        return {name: granted[name] and own[name] for name in granted if name in own}

    def is_enabled(self, userid: str) -> bool:
        """Whether the user may log in at all."""
        user = self._state.users.get(userid)
        return user is not None and user.enable and not 0 < user.expire < time.time()

    def role_privileges(self, role: str) -> Iterable[str]:
        """Privileges of a role, built in or made."""
        return BUILT_IN_ROLES[role] if role in BUILT_IN_ROLES else self._state.roles.get(role, ())

    def _of_roles(self, auth_id: str, path: str) -> dict[str, bool]:
        if auth_id == ROOT:
            return dict.fromkeys(PRIVILEGES, True)
        found: dict[str, bool] = {}
        for role, propagate in self._roles_with_pools(auth_id, path).items():
            for name in self.role_privileges(role):
                found[name] = found.get(name, False) or propagate
        return found

    def _roles_with_pools(self, auth_id: str, path: str) -> dict[str, bool]:
        roles = self._roles(auth_id, path)
        for pool in self._pools_of(path):
            from_pool = self._roles(auth_id, f"/pool/{pool}")
            if from_pool and "NoAccess" in roles:
                roles = {}
            roles |= {role: True for role in from_pool if role != "NoAccess" or not roles}
        return roles

    def _pools_of(self, path: str) -> list[str]:
        pools = self._state.pools.items()
        if match := re.match(r"/vms/(\d+)\Z", path):
            return [name for name, pool in pools if int(match[1]) in pool.vms]
        if match := re.match(r"/storage/([^/]+)\Z", path):
            return [name for name, pool in pools if match[1] in pool.storages]
        return []

    def _roles(self, auth_id: str, path: str) -> dict[str, bool]:
        """Roles on a path: an entry further down replaces all that is inherited."""
        parts = [part for part in path.split("/") if part]
        current: dict[str, bool] = {}
        for depth in range(len(parts) + 1):
            here = "/" + "/".join(parts[:depth])
            final = depth == len(parts)
            entries = {
                entry.role: entry.propagate
                for entry in self._state.acl
                if entry.path == here and entry.subject == auth_id and (final or entry.propagate)
            }
            current = entries or current
        return {"NoAccess": current["NoAccess"]} if "NoAccess" in current else current


class Caller:
    """Who makes a request, and their rights."""

    def __init__(self, auth_id: str, rights: Rights) -> None:
        self.auth_id = auth_id
        self.rights = rights

    @property
    def is_root(self) -> bool:
        """Exactly root@pam: no token of root is."""
        return self.auth_id == ROOT

    @property
    def userid(self) -> str:
        return self.auth_id.partition("!")[0]

    def has(self, path: str, *privileges: str, any_of: bool = False) -> bool:
        """Whether all (or one) of `privileges` are there."""
        held = self.rights.privileges(self.auth_id, path)
        test = any if any_of else all
        return test(name in held for name in privileges)

    def require(self, path: str, *privileges: str, any_of: bool = False) -> None:
        """Raise a 403 that names what is missing."""
        held = self.rights.privileges(self.auth_id, path)
        missing = [name for name in privileges if name not in held]
        if any_of and len(missing) == len(privileges):
            raise forbidden(f"{path}, {'|'.join(privileges)}")
        if not any_of and missing:
            raise forbidden(f"{path}, {missing[0]}")

    def require_on_guest(
        self, vmid: int, pool: str | None, *privileges: str, any_of: bool = False
    ) -> None:
        """The same on a guest, where rights on the pool that it will be in count too."""
        if pool and self.has(f"/pool/{pool}", *privileges, any_of=any_of):
            return
        self.require(f"/vms/{vmid}", *privileges, any_of=any_of)
