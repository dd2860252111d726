"""One HTTP(S) request, each step of which fails under its own name."""

import asyncio
import http.client
import socket
import ssl
from urllib.parse import urlsplit

from infra.node.client import trust
from infra.reach.answer import Answer

LIMIT_S = 10.0
LONGEST_BODY = 1 << 20


async def fetch(
    url: str,
    *,
    verify: bool = True,
    server_name: str | None = None,
    host_header: str | None = None,
) -> Answer:
    """GET, with no connection kept."""
    return await asyncio.to_thread(
        _fetch, url, verify=verify, server_name=server_name, host_header=host_header
    )


def _fetch(url: str, *, verify: bool, server_name: str | None, host_header: str | None) -> Answer:
    parts = urlsplit(url)
    host, encrypted = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if encrypted else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return Answer("dns", str(error.strerror or error))
    connection, reason = None, ""
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(LIMIT_S)
        try:
            connection.connect(address)
            break
        except OSError as error:
            connection.close()
            connection, reason = None, str(error.strerror or error)
    if connection is None:
        return Answer("connect", reason)
    with connection:
        if not encrypted:
            return _ask(connection, parts.path, parts.query, host_header or parts.netloc)
        context = _context(verify=verify)
        try:
            secured = context.wrap_socket(connection, server_hostname=server_name or host)
        except ssl.SSLCertVerificationError as error:
            return Answer("tls", error.verify_message)
        except (ssl.SSLError, OSError) as error:
            return Answer("no tls", str(getattr(error, "reason", None) or error))
        with secured:
            return _ask(secured, parts.path, parts.query, host_header or parts.netloc)


def _ask(connection: socket.socket, path: str, query: str, host: str) -> Answer:
    client = http.client.HTTPConnection("unused")
    client.sock = connection
    try:
        target = f"{path or '/'}{'?' + query if query else ''}"
        headers = {"Host": host, "Connection": "close", "User-Agent": "berth"}
        client.request("GET", target, headers=headers)
        response = client.getresponse()
        body = response.read(LONGEST_BODY)
    except (OSError, http.client.HTTPException) as error:
        return Answer("answer", str(error) or type(error).__name__)
    return Answer(status=response.status, headers=dict(response.getheaders()), body=body)


def _context(*, verify: bool) -> ssl.SSLContext:
    if verify:
        context = trust(insecure=False)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    return trust_nobody()


def trust_nobody() -> ssl.SSLContext:
    """For an origin whose certificate cloudflared does not look at either."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
