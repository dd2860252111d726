"""Finds out who makes a request, from its cookie or its Authorization header."""

import hmac
import re
import time
from urllib.parse import unquote

from aiohttp import web

from lab.proxmox.access.rights import Caller, Rights
from lab.proxmox.access.tickets import Tickets
from lab.proxmox.errors import UnauthorizedError
from lab.proxmox.state import State

_TOKEN = re.compile(r"PVEAPIToken[= ](?P<id>[^\s:/]+@[^\s!]+![^\s=]+)=(?P<secret>\S+)\Z")


class Authenticator:
    """Turns credentials into a caller, or raises a 401."""

    def __init__(self, state: State, rights: Rights, tickets: Tickets) -> None:
        self._state = state
        self._rights = rights
        self._tickets = tickets

    def caller(self, request: web.Request) -> Caller:
        """The caller of a request; a cookie wins over a token."""
        if cookie := request.cookies.get("PVEAuthCookie"):
            return self._by_ticket(request, unquote(cookie))
        header = request.headers.get("Authorization", "")
        if header.startswith("PVEAPIToken"):
            return self._by_token(header)
        raise UnauthorizedError("No ticket")

    def _by_ticket(self, request: web.Request, ticket: str) -> Caller:
        userid = self._tickets.user_of(ticket)
        if userid is None or not self._rights.is_enabled(userid):
            raise UnauthorizedError("Authentication failed!")
        if request.method != "GET":
            csrf = request.headers.get("CSRFPreventionToken", "")
            if not self._tickets.is_csrf_of(csrf, userid):
                raise UnauthorizedError("Permission denied - invalid csrf token")
        return Caller(userid, self._rights)

    def _by_token(self, header: str) -> Caller:
        match = _TOKEN.match(header)
        if match is None:
            raise UnauthorizedError("Authentication failed!")
        userid, _, name = match["id"].partition("!")
        user = self._state.users.get(userid)
        token = user.tokens.get(name) if user is not None else None
        if (
            token is None
            or not self._rights.is_enabled(userid)
            or 0 < token.expire < time.time()
            or not hmac.compare_digest(token.secret.encode(), match["secret"].encode())
        ):
            raise UnauthorizedError("Authentication failed!")
        return Caller(match["id"], self._rights)
