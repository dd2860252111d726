"""Connects to an endpoint, through its proxy if it has one, as often as its limits allow."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import asyncssh

from lab.doubles.command import go_text
from lab.doubles.command.endpoint import Endpoint
from lab.doubles.command.login import Credentials, Failed, handshake
from lab.doubles.provider import Refused
from lab.doubles.session import Cancelled, Scope

T = TypeVar("T")

_FIRST_PAUSE_S = 0.1
_PAUSE_FACTOR = 1.5
_LONGEST_PAUSE_S = 5.0
_FOR_EVER = -1
_REASONS = {
    asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED: "administratively prohibited",
    asyncssh.OPEN_CONNECT_FAILED: "connect failed",
    asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE: "unknown channel type",
    asyncssh.OPEN_RESOURCE_SHORTAGE: "resource shortage",
}


@asynccontextmanager
async def connected(
    scope: Scope, endpoint: Endpoint
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection to `endpoint`, closed afterwards; raises Refused or Cancelled."""
    credentials = await Credentials.of(endpoint)
    limit = endpoint.dial_error_limit
    async with AsyncExitStack() as stack:
        if endpoint.proxy is None:
            connection = await _retry(scope, "Dial", limit, lambda: _dial(credentials))
        else:
            connection = await _through_proxy(scope, stack, credentials, endpoint.proxy)
        stack.push_async_callback(_close, connection)
        yield connection


def rejected(error: asyncssh.ChannelOpenError) -> str:
    """What a refused channel says."""
    reason = _REASONS.get(error.code, f"unknown reason {error.code}")
    return f"ssh: rejected: {reason} ({go_text.quoted(error.reason)})"


async def _through_proxy(
    scope: Scope, stack: AsyncExitStack, target: Credentials, proxy: Endpoint
) -> asyncssh.SSHClientConnection:
    limit = target.endpoint.dial_error_limit
    try:
        own = await Credentials.of(proxy)
        tunnel = await _retry(scope, "Dial proxy", proxy.dial_error_limit, lambda: _dial(own))
        stack.push_async_callback(_close, tunnel)
        return await _retry(scope, "Dial from proxy", limit, lambda: _dial_from(tunnel, target))
    except Refused as error:
        raise Refused(f"proxy: {error}", error.code) from None
    except Cancelled as error:
        raise Refused(f"proxy: {error}", error.code) from None


async def _retry(scope: Scope, what: str, limit: int, attempt: Callable[[], Awaitable[T]]) -> T:
    """Attempt until it works; after `limit` repetitions the last failure is the answer."""
    pause_s = _FIRST_PAUSE_S
    failed = 0
    while True:
        try:
            return await scope.unless_cancelled(attempt())
        except Failed as error:
            if _FOR_EVER < limit <= failed:
                raise Refused(f"after {failed} failed attempts: {error}") from None
        failed += 1
        of = "inf" if limit == _FOR_EVER else limit
        await scope.status(f"{what} {failed}/{of} failed: retrying")
        await scope.unless_cancelled(asyncio.sleep(pause_s))
        pause_s = min(pause_s * _PAUSE_FACTOR, _LONGEST_PAUSE_S)


async def _dial(credentials: Credentials) -> asyncssh.SSHClientConnection:
    sock = await _reach(credentials.endpoint)
    try:
        return await handshake(credentials, sock=sock)
    except BaseException:
        sock.close()
        raise


async def _dial_from(
    tunnel: asyncssh.SSHClientConnection, credentials: Credentials
) -> asyncssh.SSHClientConnection:
    try:
        return await handshake(credentials, tunnel=tunnel)
    except asyncssh.ChannelOpenError as error:
        raise Failed(rejected(error)) from None


async def _reach(endpoint: Endpoint) -> socket.socket:
    """A TCP connection; the first address's failure counts when all fail, as in Go."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(
            endpoint.host or "localhost", endpoint.port, type=socket.SOCK_STREAM
        )
    except socket.gaierror as error:
        missing = error.errno in {socket.EAI_NONAME, socket.EAI_NODATA}
        raise Failed(go_text.lookup_failed(endpoint.host, missing=missing)) from None
    first: Failed | None = None
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(0)
        try:
            async with asyncio.timeout(endpoint.per_dial_timeout_s or None):
                await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            shown = address[0] if endpoint.host else ""
            first = first or Failed(go_text.dial_failed(str(shown), endpoint.port, error))
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise first or Failed(go_text.lookup_failed(endpoint.host, missing=True))


async def _close(connection: asyncssh.SSHClientConnection) -> None:
    connection.close()
    await connection.wait_closed()
