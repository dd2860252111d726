"""The calls on users and their passwords."""

import hmac

from lab.proxmox.access.rights import ROOT
from lab.proxmox.call import Handler, Request, Rows, Values
from lab.proxmox.core import Core
from lab.proxmox.errors import UnauthorizedError, died
from lab.proxmox.state import TokenRecord, UserRecord

_PROFILE = ("comment", "email", "firstname", "keys", "lastname")
_REALMS = frozenset(("pam", "pve"))


def handlers(core: Core) -> dict[str, Handler]:
    """The calls by name."""
    calls = _UserCalls(core)
    return {
        "GET /access/users": calls.listing,
        "POST /access/users": calls.create,
        "GET /access/users/{userid}": calls.read,
        "PUT /access/users/{userid}": calls.update,
        "DELETE /access/users/{userid}": calls.delete,
        "PUT /access/password": calls.set_password,
    }


class _UserCalls:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._users = core.store.state.users

    async def listing(self, request: Request) -> Rows:
        caller = request.caller
        every = caller.has("/access/groups", "User.Modify", "Sys.Audit", any_of=True)
        wanted = request.get("enabled")
        return [
            self._row(userid, user, full=request.flag("full"))
            for userid, user in sorted(self._users.items())
            if (every or userid == caller.userid) and wanted in {None, str(int(user.enable))}
        ]

    async def read(self, request: Request) -> Values:
        user = self._find(request["userid"])
        row = self._row(request["userid"], user, full=False)
        for key in ("userid", "realm-type"):
            del row[key]
        row["groups"] = []
        row["tokens"] = {name: token_info(token) for name, token in user.tokens.items()}
        return row

    async def create(self, request: Request) -> None:
        userid = request["userid"]
        if userid in self._users:
            raise died(f"create user failed: user '{userid}' already exists")
        realm = userid.rpartition("@")[2]
        if realm not in _REALMS:
            raise died(f"create user failed: domain '{realm}' does not exist")
        self._refuse_groups(request, "create")
        password = request.get("password")
        if password is not None and realm == "pam":
            raise died("create user failed: the lab's pam users have the world file's passwords")
        user = UserRecord(password=password)
        self._fill(request, user)
        self._users[userid] = user
        self._core.store.save()

    async def update(self, request: Request) -> None:
        user = self._find(request["userid"], "update user failed: ")
        self._refuse_groups(request, "update")
        self._fill(request, user)
        self._core.store.save()

    async def delete(self, request: Request) -> None:
        userid = request["userid"]
        if userid == ROOT:
            raise died("delete user failed: unable to delete user 'root@pam'")
        self._find(userid, "delete user failed: ")
        del self._users[userid]
        acl = self._core.store.state.acl
        acl[:] = [entry for entry in acl if entry.subject.partition("!")[0] != userid]
        self._core.store.save()

    async def set_password(self, request: Request) -> None:
        user = self._find(request["userid"])
        if not request.caller.is_root:
            given = request.get("confirmation-password", "")
            mine = self._users[request.caller.userid].password or ""
            if not hmac.compare_digest(given.encode(), mine.encode()):
                raise UnauthorizedError("authentication failure", with_body=True)
        user.password = request["password"]
        self._core.store.save()

    def _find(self, userid: str, prefix: str = "") -> UserRecord:
        if userid not in self._users:
            raise died(f"{prefix}no such user ('{userid}')")
        return self._users[userid]

    def _refuse_groups(self, request: Request, verb: str) -> None:
        if groups := request.get("groups"):
            raise died(f"{verb} user failed: group '{groups}' does not exist")

    def _fill(self, request: Request, user: UserRecord) -> None:
        user.enable = request.flag("enable", default=user.enable)
        user.expire = int(request.get("expire", str(user.expire)))
        for key in _PROFILE:
            if (value := request.get(key)) is not None:
                user.profile[key] = value

    def _row(self, userid: str, user: UserRecord, *, full: bool) -> Values:
        row: Values = {
            "userid": userid,
            "realm-type": userid.rpartition("@")[2],
            "enable": int(user.enable),
            "expire": user.expire,
        }
        row |= {key: value for key, value in user.profile.items() if value}
        if full:
            row["tokens"] = [
                {"tokenid": name} | token_info(token) for name, token in user.tokens.items()
            ]
        return row


def token_info(token: TokenRecord) -> Values:
    """What may be told about a token: never its secret."""
    info: Values = {"privsep": int(token.privsep), "expire": token.expire}
    return info | ({"comment": token.comment} if token.comment else {})
