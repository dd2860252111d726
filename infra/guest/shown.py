"""Looks at a certificate as whoever connects does: by a handshake, in memory alone."""

import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

EXPIRED, NOT_YET = 10, 9
"""OpenSSL's numbers of what is wrong with a certificate's time."""

Names = list[tuple[str, str]]
"""(kind, name), as in a certificate: `DNS` or `IP Address`."""


class NotAcceptedError(Exception):
    """What a client would say of it; `name` is what it was asked for where that is why."""

    def __init__(self, text: str, name: str | None = None) -> None:
        self.name = name
        super().__init__(text)


def demand_accepted(certificate: Path, key: Path, names: Sequence[str]) -> None:
    """NotAcceptedError where it is not valid now, or not for one of `names`.

    Who signed it is not looked at: that is for those who connect. ssl.SSLError, ValueError: the
    two do not fit, or are none.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key, password=lambda: b"")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(certificate)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.check_hostname = False
    has = _greet(client, server)
    for name in names:
        if not _covers(has, name):
            shown = ", ".join(known for _, known in has) or "no name at all"
            raise NotAcceptedError(f"does not name {name}; it names {shown}", name)


def _greet(client: ssl.SSLContext, server: ssl.SSLContext) -> Names:
    """A whole handshake; gives what the client was shown names of."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(back, there)
    answering = server.wrap_bio(there, back, server_side=True)
    try:
        while True:
            asked, answered = _step(asking), _step(answering)
            if asked and answered:
                break
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in {EXPIRED, NOT_YET}:
            when = "has expired" if error.verify_code == EXPIRED else "is not valid yet"
            raise NotAcceptedError(when) from error
        raise NotAcceptedError(f"is not accepted: {error.verify_message}") from error
    names: Any = (asking.getpeercert() or {}).get("subjectAltName", ())
    return list(names)


def _step(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _covers(has: Names, name: str) -> bool:
    """As Go's clients compare, and so cloudflared: OpenSSL's take no `*.lan`."""
    try:
        wanted = ip_address(name)
    except ValueError:
        parts = name.lower().split(".")
        known = [value.lower().split(".") for kind, value in has if kind == "DNS"]
        return parts in known or (len(parts) > 1 and ["*", *parts[1:]] in known)
    return any(kind == "IP Address" and ip_address(value) == wanted for kind, value in has)
