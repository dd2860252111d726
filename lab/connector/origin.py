"""Asks the services behind a tunnel, over connections that are kept and used again."""

import asyncio
import os
import socket
import ssl
import time
from collections import defaultdict
from dataclasses import dataclass, field

import h11

from lab.connector.ingress import OriginRequest, Rule
from lab.connector.peer import Headers, Peer
from lab.connector.relay import Answer, BackLost, Exchange, handed_on, header
from lab.connector.wire import Wire

_SWEEP_S = 5
_OTHER_NAME = 62
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH."""
_PLAIN = "tls: first record does not look like a TLS handshake"
_SAID_BY_GO = {
    "HTTP_REQUEST": _PLAIN,
    "PACKET_LENGTH_TOO_LONG": _PLAIN,
    "RECORD_LAYER_FAILURE": _PLAIN,
    "UNEXPECTED_EOF_WHILE_READING": "EOF",
    "WRONG_VERSION_NUMBER": _PLAIN,
}
"""OpenSSL's words, and Go's for the same."""
_NEVER_S = 1e9
_PORTS = {False: 80, True: 443}
_OURS = (b"cf-cloudflared-response-meta",)
"""What tells the edge that no service answered: none may say so."""


class OriginError(Exception):
    """A service could not be asked; the text says why, as a log line has it."""


@dataclass(frozen=True)
class _Place:
    """What a connection leads to, and by which rules: only the same may share one."""

    socket: str | None
    host: str
    port: int
    server_name: str | None
    origin: OriginRequest = field(repr=False)

    def __str__(self) -> str:
        return self.socket or f"{self.host}:{self.port}"


@dataclass
class _Kept:
    peer: Peer
    since: float


class Origins:
    """The way to every service of a tunnel's configuration."""

    def __init__(self) -> None:
        self._kept: defaultdict[_Place, list[_Kept]] = defaultdict(list)
        self._contexts: dict[tuple[bool, str], ssl.SSLContext] = {}
        self._sweeping: asyncio.Task[None] | None = None

    async def ask(self, front: Peer, request: h11.Request, rule: Rule) -> int:
        """Carry a request to `rule`'s service and the answer back; returns the answer's status.

        OriginError while nothing was answered.
        """
        place = _place(rule, _host(request))
        onward = _onward(request, rule)
        status = 0

        def shape(response: Answer) -> Headers:
            nonlocal status
            status = response.status_code
            return handed_on(response, without=_OURS)

        exchange = Exchange(front, request, onward, shape)
        while True:
            back, fresh = await self._connection(place, encrypted=rule.encrypted)
            try:
                await exchange.over(back)
            except BackLost as lost:
                # What was kept may have been closed by the service just now.
                if lost.repeatable and not fresh:
                    continue
                raise OriginError(str(lost)) from lost
            finally:
                self._give_back(place, back)
            return status

    def close(self) -> None:
        """Close what is kept."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for kept in self._kept.values():
            for one in kept:
                one.peer.wire.close()
        self._kept.clear()

    async def _connection(self, place: _Place, *, encrypted: bool) -> tuple[Peer, bool]:
        """One to `place`, and whether it was made just now."""
        kept = self._kept[place]
        while kept:
            one = kept.pop()
            if one.peer.is_quiet and not _is_over(place, one):
                return one.peer, False
            one.peer.wire.close()
        return await self._dial(place, encrypted=encrypted), True

    async def _dial(self, place: _Place, *, encrypted: bool) -> Peer:
        context = self._context(place) if encrypted else None
        try:
            return Peer(await _connect(place, context), h11.CLIENT)
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message
            if error.verify_code == _OTHER_NAME and await self._has_common_name(place):
                why = "certificate relies on legacy Common Name field, use SANs instead"
            raise OriginError(
                f"tls: failed to verify certificate: x509: {why} ({place})"
            ) from error
        except ssl.SSLError as error:
            why = _SAID_BY_GO.get(error.reason, f"tls: {error.reason or error}")
            raise OriginError(f"{place}: {why}") from error
        except socket.gaierror as error:
            raise OriginError(f"dial tcp: lookup {place.host}: no such host") from error
        except TimeoutError as error:
            raise OriginError(f"dial tcp {place}: i/o timeout") from error
        except OSError as error:
            if context and not error.errno:
                late = isinstance(error, ConnectionAbortedError)
                why = "net/http: TLS handshake timeout" if late else "EOF"
                raise OriginError(f"{place}: {why}") from error
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OriginError(f"dial tcp {place}: connect: {reason.lower()}") from error

    async def _has_common_name(self, place: _Place) -> bool:
        """Whether its certificate names the service in the subject, as was once enough."""
        context = _made_context(place)
        context.hostname_checks_common_name = True
        try:
            (await _connect(place, context)).close()
        except OSError:
            return False
        return True

    def _context(self, place: _Place) -> ssl.SSLContext:
        key = (place.origin.no_tls_verify, place.origin.ca_pool)
        if key not in self._contexts:
            self._contexts[key] = _made_context(place)
        return self._contexts[key]

    def _give_back(self, place: _Place, back: Peer) -> None:
        kept = self._kept[place]
        if not back.reusable or len(kept) >= place.origin.keep_alive_connections:
            back.wire.close()
            return
        back.http.start_next_cycle()
        kept.append(_Kept(back, time.monotonic()))
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        while any(self._kept.values()):
            await asyncio.sleep(_SWEEP_S)
            for place, kept in list(self._kept.items()):
                for one in [o for o in kept if o.peer.wire.ended or _is_over(place, o)]:
                    kept.remove(one)
                    one.peer.wire.close()
                if not kept:
                    del self._kept[place]


async def _connect(place: _Place, context: ssl.SSLContext | None) -> Wire:
    """OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    name = place.server_name if context else None
    handshake_s = (place.origin.tls_timeout_s or _NEVER_S) if context else None
    limits = [place.origin.connect_timeout_s, *([place.origin.tls_timeout_s] if context else [])]
    async with asyncio.timeout(sum(limits) if all(limits) else None):
        if place.socket is not None:
            _, wire = await loop.create_unix_connection(
                Wire,
                place.socket,
                ssl=context,
                server_hostname=name,
                ssl_handshake_timeout=handshake_s,
            )
        else:
            _, wire = await loop.create_connection(
                Wire,
                place.host,
                place.port,
                ssl=context,
                server_hostname=name,
                ssl_handshake_timeout=handshake_s,
            )
    return wire


def _made_context(place: _Place) -> ssl.SSLContext:
    origin, context = place.origin, ssl.create_default_context()
    context.hostname_checks_common_name = False
    if origin.ca_pool:
        try:
            context.load_verify_locations(origin.ca_pool)
        except OSError as error:
            raise OriginError(f"{place}: caPool {origin.ca_pool}: {error}") from error
    if origin.no_tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_over(place: _Place, one: _Kept) -> bool:
    limit_s = place.origin.keep_alive_timeout_s
    return bool(limit_s) and time.monotonic() - one.since >= limit_s


def _host(request: h11.Request) -> str:
    return header(request, b"host").decode("latin-1").partition(":")[0].lower().rstrip(".")


def _place(rule: Rule, asked: str) -> _Place:
    origin = rule.origin
    host = "" if rule.socket is not None else rule.url.hostname or ""
    name = asked if origin.match_sni_to_host else origin.origin_server_name or host or asked
    return _Place(
        socket=rule.socket,
        host=host,
        port=0 if rule.socket is not None else rule.url.port or _PORTS[rule.encrypted],
        server_name=name,
        origin=origin,
    )


def _onward(request: h11.Request, rule: Rule) -> h11.Request:
    headers = handed_on(request)
    if given := rule.origin.http_host_header:
        headers = [(n, v) for n, v in headers if n.lower() not in {b"host", b"x-forwarded-host"}]
        headers += [
            (b"Host", given.encode("latin-1")),
            (b"X-Forwarded-Host", header(request, b"host")),
        ]
    return h11.Request(method=request.method, target=request.target, headers=headers)
