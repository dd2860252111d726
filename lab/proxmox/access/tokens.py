"""The calls on API tokens. A secret is told once, when its token is made."""

import uuid

from lab.proxmox.access.users import token_info
from lab.proxmox.call import Handler, Request, Rows, Values
from lab.proxmox.core import Core
from lab.proxmox.errors import bad_parameters, died
from lab.proxmox.formats import split_list
from lab.proxmox.state import TokenRecord, UserRecord

_TOKENS = "/access/users/{userid}/token"


def handlers(core: Core) -> dict[str, Handler]:
    """The calls by name."""
    calls = _TokenCalls(core)
    return {
        f"GET {_TOKENS}": calls.listing,
        f"GET {_TOKENS}/{{tokenid}}": calls.read,
        f"POST {_TOKENS}/{{tokenid}}": calls.create,
        f"PUT {_TOKENS}/{{tokenid}}": calls.update,
        f"DELETE {_TOKENS}/{{tokenid}}": calls.delete,
    }


class _TokenCalls:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def listing(self, request: Request) -> Rows:
        tokens = self._user(request).tokens
        return [{"tokenid": name} | token_info(tokens[name]) for name in sorted(tokens)]

    async def read(self, request: Request) -> Values:
        return token_info(self._token(request))

    async def create(self, request: Request) -> Values:
        user, name = self._user(request), request["tokenid"]
        if name in user.tokens:
            raise bad_parameters({"tokenid": "Token already exists."})
        token = TokenRecord(secret=str(uuid.uuid4()))
        self._fill(request, token)
        user.tokens[name] = token
        self._core.store.save()
        full = f"{request['userid']}!{name}"
        return {"full-tokenid": full, "value": token.secret, "info": token_info(token)}

    async def update(self, request: Request) -> Values:
        token = self._token(request)
        self._fill(request, token)
        for key in split_list(request.get("delete", "")):
            if key == "comment":
                token.comment = ""
            elif key == "expire":
                token.expire = 0
        self._core.store.save()
        return token_info(token)

    async def delete(self, request: Request) -> None:
        self._token(request)
        del self._user(request).tokens[request["tokenid"]]
        full = f"{request['userid']}!{request['tokenid']}"
        acl = self._core.store.state.acl
        acl[:] = [entry for entry in acl if entry.subject != full]
        self._core.store.save()

    def _user(self, request: Request) -> UserRecord:
        userid = request["userid"]
        if userid not in self._core.store.state.users:
            raise died(f"no such user ('{userid}')")
        return self._core.store.state.users[userid]

    def _token(self, request: Request) -> TokenRecord:
        tokens, name = self._user(request).tokens, request["tokenid"]
        if name not in tokens:
            raise died(f"no such token '{name}' for user '{request['userid']}'")
        return tokens[name]

    @staticmethod
    def _fill(request: Request, token: TokenRecord) -> None:
        token.privsep = request.flag("privsep", default=token.privsep)
        token.expire = int(request.get("expire", str(token.expire)))
        token.comment = request.get("comment", token.comment)
