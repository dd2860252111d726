"""The public side: which tunnel a name leads to, what a request carries, what errors say."""

import json
import logging
import re
import secrets
from collections import Counter
from dataclasses import dataclass

import h11

from lab.cloudflare.tunnels import Tunnels
from lab.connector.peer import CutOff, Headers, Peer
from lab.connector.relay import Answer, BackLost, Exchange, handed_on, header, is_repeatable
from lab.connector.service import BY_CONNECTOR
from lab.edge.replicas import ReplicaLost, Replicas

_logger = logging.getLogger("lab.edge")
SERVER = b"cloudflare (berth lab stand-in)"
_OWN = (
    b"cdn-loop",
    b"cf-connecting-ip",
    b"cf-ipcountry",
    b"cf-ray",
    b"cf-visitor",
    b"true-client-ip",
    b"x-forwarded-for",
    b"x-forwarded-proto",
)
"""Headers that only the edge may state."""
_LOOPS = re.compile(rb"(?:^|,)\s*cloudflare\s*;\s*loops=(\d{1,9})\s*(?=[,;]|$)", re.IGNORECASE)
_MOST_LOOPS = 3
"""So often may a request have been here before: an origin may be a public name itself."""


@dataclass(frozen=True)
class Visit:
    """What is known of a request besides what it says itself."""

    address: str
    scheme: str
    ray: str


class Front:
    """Answers public requests. `silence_s` is how long an origin may take to begin."""

    def __init__(self, tunnels: Tunnels, replicas: Replicas, *, silence_s: float = 120) -> None:
        self._tunnels = tunnels
        self._replicas = replicas
        self._silence_s = silence_s

    async def answer(self, peer: Peer, request: h11.Request) -> None:
        """One request that came encrypted."""
        visit = Visit(peer.wire.peer_address(), "https", f"{secrets.token_hex(8)}-LAB")
        if request.method == b"CONNECT":
            await _error(peer, 405, "the edge is no proxy", visit)
            return
        host = _host(request)
        route = self._tunnels.names().find(host)
        if route is None:
            said = f"error code: 1001 ({host or 'no name'}: nothing is published under this name)"
            await _error(peer, 409, said, visit)
            return
        if _loops(request) > _MOST_LOOPS:
            said = f"error code: 1000 ({host}: its route leads back to the edge, again and again)"
            await _error(peer, 403, said, visit)
            return
        if route.is_foreign:
            said = f"error code: 1033 (tunnel {route.tunnel}: is of another account than the name)"
            await _error(peer, 530, said, visit)
            return
        await self._through(route.tunnel, peer, request, visit)

    async def redirect(self, peer: Peer, request: h11.Request) -> None:
        """One request that came in the clear: the same address, encrypted."""
        visit = Visit(peer.wire.peer_address(), "http", f"{secrets.token_hex(8)}-LAB")
        if request.method == b"CONNECT":
            await _error(peer, 405, "the edge is no proxy", visit)
            return
        host = _host(request)
        if self._tunnels.names().find(host) is None:
            said = f"error code: 1001 ({host or 'no name'}: nothing is published under this name)"
            await _error(peer, 409, said, visit)
            return
        place = b"https://" + host.encode("latin-1") + _target(request)
        await peer.answer(301, "", [(b"Location", place), *_marks(visit)])

    async def _through(self, tunnel: str, peer: Peer, request: h11.Request, visit: Visit) -> None:
        exchange = Exchange(
            peer,
            request,
            _onward(request, visit),
            lambda response: _shaped(response, visit),
            ask_first=True,
            silence_s=self._silence_s,
        )
        tried: Counter[str] = Counter()
        why = ""
        while (replica := self._replicas.pick(tunnel, tried)) is not None:
            tried[replica.key] += 1
            try:
                line = await replica.take()
            except ReplicaLost as lost:
                why = str(lost)
                continue
            try:
                await exchange.over(line)
            except _ByConnector:
                said = "error code: 502 (the service behind the tunnel could not be reached; "
                await _error(peer, 502, f"{said}its connector's log says why)", visit)
                return
            except BackLost as lost:
                why = str(lost)
                if lost.repeatable:
                    continue
                said = f"error code: 502 (the tunnel broke off: {why})"
                await _error(peer, 502, said, visit)
                return
            except TimeoutError:
                said = f"error code: 524 (the service was silent for {self._silence_s:g} s)"
                await _error(peer, 524, said, visit)
                return
            except CutOff as error:
                _logger.info("edge: %s: cut off: %s", visit.ray, error)
                raise
            finally:
                replica.give_back(line)
            return
        after = f"; the last one was lost: {why}" if why else ""
        said = f"error code: 1033 (tunnel {tunnel}: no connector is connected{after})"
        await _error(peer, 530, said, visit)


class _ByConnector(Exception):  # noqa: N818 - no error of this program's
    """The answer is the connector's own: no service gave it."""


def _shaped(response: Answer, visit: Visit) -> Headers:
    if header(response, BY_CONNECTOR[0].lower()) == BY_CONNECTOR[1]:
        raise _ByConnector
    kept = handed_on(response, without=(b"server", b"cf-ray", b"cf-cache-status"))
    return [*kept, *_marks(visit), (b"CF-Cache-Status", b"DYNAMIC")]


def _marks(visit: Visit) -> Headers:
    return [(b"Server", SERVER), (b"CF-RAY", visit.ray.encode())]


def _onward(request: h11.Request, visit: Visit) -> h11.Request:
    address = visit.address.encode()
    came_by = b",".join(value for name, value in request.headers if name == b"x-forwarded-for")
    headers = handed_on(request, without=_OWN)
    headers += [
        (b"CF-Connecting-IP", address),
        (b"CF-IPCountry", b"XX"),
        (b"CF-RAY", visit.ray.encode()),
        (b"CF-Visitor", json.dumps({"scheme": visit.scheme}, separators=(",", ":")).encode()),
        (b"CDN-Loop", f"cloudflare; loops={_loops(request) + 1}".encode()),
        (b"X-Forwarded-For", came_by + b"," + address if came_by else address),
        (b"X-Forwarded-Proto", visit.scheme.encode()),
    ]
    if not is_repeatable(request):
        headers.append((b"Expect", b"100-continue"))
    return h11.Request(method=request.method, target=_target(request), headers=headers)


def _loops(request: h11.Request) -> int:
    """How often the request was here already."""
    said = b",".join(value for name, value in request.headers if name == b"cdn-loop")
    return max((int(times) for times in _LOOPS.findall(said)), default=0)


def _target(request: h11.Request) -> bytes:
    """The path and what follows: some clients say a whole address, as they would to a proxy."""
    return re.sub(rb"^https?://[^/?]*(?=[/?]|$)", b"", request.target, flags=re.IGNORECASE) or b"/"


def _host(request: h11.Request) -> str:
    return header(request, b"host").decode("latin-1").partition(":")[0].lower().rstrip(".")


async def _error(peer: Peer, status: int, text: str, visit: Visit) -> None:
    _logger.info("edge: %s: %s %s", visit.ray, status, text)
    await peer.answer(status, f"{text}\n", _marks(visit))
