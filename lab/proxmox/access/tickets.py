"""Login tickets and CSRF tokens: signed texts that nobody has to remember."""

import base64
import hashlib
import hmac
import re
import time

_LIFETIME_S = 2 * 60 * 60
_CLOCK_SKEW_S = 300
_TICKET = re.compile(r"PVE:([^:]+):([0-9A-F]{8})::(\S+)\Z")
_CSRF = re.compile(r"([0-9A-F]{8}):(\S+)\Z")


class Tickets:
    """Makes and checks tickets with one secret key."""

    def __init__(self, key: str) -> None:
        self._key = bytes.fromhex(key)

    def ticket(self, userid: str) -> str:
        """The value of the cookie PVEAuthCookie."""
        head = f"PVE:{userid}:{int(time.time()):08X}"
        return f"{head}::{self._sign(head)}"

    def user_of(self, ticket: str) -> str | None:
        """The user whom a ticket is for; None when it is forged or too old."""
        match = _TICKET.match(ticket)
        if match is None or not self._fresh(match[2]):
            return None
        head = ticket.partition("::")[0]
        return match[1] if _same(self._sign(head), match[3]) else None

    def csrf(self, userid: str) -> str:
        """The value of the header CSRFPreventionToken."""
        stamp = f"{int(time.time()):08X}"
        return f"{stamp}:{self._sign(f'csrf:{stamp}:{userid}')}"

    def is_csrf_of(self, token: str, userid: str) -> bool:
        """Whether the header belongs to the user and is not too old."""
        match = _CSRF.match(token)
        if match is None or not self._fresh(match[1]):
            return False
        return _same(self._sign(f"csrf:{match[1]}:{userid}"), match[2])

    def _sign(self, text: str) -> str:
        digest = hmac.new(self._key, text.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode().rstrip("=")

    @staticmethod
    def _fresh(stamp: str) -> bool:
        return -_CLOCK_SKEW_S <= time.time() - int(stamp, 16) <= _LIFETIME_S


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode())
