"""The API as an aiohttp application: each request goes through the checks in Cloudflare's order.

Who asks, is there such a call, is it one too many, is it allowed, then the call itself.
"""

import logging
import secrets
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from lab import bodies
from lab.cloudflare.call import Call, Request
from lab.cloudflare.connection_calls import ConnectionCalls
from lab.cloudflare.core import Core
from lab.cloudflare.errors import ApiError, not_allowed
from lab.cloudflare.limits import RateLimit
from lab.cloudflare.record_calls import RecordCalls
from lab.cloudflare.rights import Authenticator, Caller
from lab.cloudflare.tunnel_calls import TunnelCalls
from lab.cloudflare.tunnels import Tunnels
from lab.cloudflare.zone_calls import ZoneCalls
from lab.paths import LabPaths
from lab.world import World

PREFIX = "/client/v4"
TUNNELS = web.AppKey("TUNNELS", Tunnels)
_LONGEST_BODY = 4 * 1024 * 1024
_logger = logging.getLogger(__name__)


def make_app(world: World, paths: LabPaths) -> web.Application:
    """The API below `/client/v4`; `app[TUNNELS]` is what the edge needs."""
    core = Core.open(world.cloudflare, paths.cloudflare_state)
    app = web.Application(client_max_size=_LONGEST_BODY)
    app[TUNNELS] = core.tunnels
    app.router.add_route("*", "/{path:.*}", Dispatcher(core).answer)
    return app


class Dispatcher:
    """Answers one request at a time, each with all its checks."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._authenticator = Authenticator(core.world, core.store.state)
        self._limit = RateLimit(core.world.requests_per_5_minutes)
        self._calls: list[Call] = [
            *TunnelCalls(core).calls(),
            *ConnectionCalls(core).calls(),
            *RecordCalls(core).calls(),
            *ZoneCalls(core).calls(),
        ]

    async def answer(self, http: web.Request) -> web.Response:
        """The answer, good or bad, in Cloudflare's envelope."""
        try:
            result, info = await self._call(http)
        except ApiError as error:
            return _respond(error.status, error.answer(), error.headers)
        except Exception:
            _logger.exception("%s %s", http.method, http.path)
            refusal = ApiError(500, 10001, "Internal error: see the lab's log")
            return _respond(refusal.status, refusal.answer(), {})
        body: dict[str, Any] = {"success": True, "errors": [], "messages": [], "result": result}
        if info is not None:
            body["result_info"] = info
        return _respond(HTTPStatus.OK, body, {})

    async def _call(self, http: web.Request) -> tuple[Any, Any]:
        path = http.raw_path.partition("?")[0]
        caller = self._authenticator.caller(http.headers)
        place = path.removeprefix(PREFIX)
        if caller is None:
            raise _unknown_token(place)
        self._limit.count(caller.name)
        call, values = self._find(http.method, path, place)
        _require_right(call, caller, values)
        request = Request(caller, values, dict(http.query), await _body(http))
        return await call.handler(request), request.info

    def _find(self, method: str, path: str, place: str) -> tuple[Call, dict[str, str]]:
        if path.startswith(PREFIX):
            for call in self._calls:
                if call.method == method and (found := call.pattern.fullmatch(place)):
                    return call, {key: unquote(text) for key, text in found.groupdict().items()}
        raise ApiError(
            404,
            7003,
            f"Could not route to {path}, perhaps your object identifier is invalid?",
            note=f"the lab's Cloudflare has no {method} {path}",
        )


def _require_right(call: Call, caller: Caller, values: dict[str, str]) -> None:
    if call.right is None:
        return
    where = values.get("account") or values.get("zone") or ""
    if not caller.may(call.right, where):
        raise not_allowed()


def _unknown_token(place: str) -> ApiError:
    if place.endswith("/tokens/verify"):
        return ApiError(401, 1000, "Invalid API Token")
    if place.startswith("/zones") and "/dns_records" not in place:
        return ApiError(403, 9109, "Invalid access token")
    return not_allowed()


async def _body(http: web.Request) -> object:
    try:
        raw = await http.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise ApiError(413, 1001, "Bad Request: the body is too long") from error
    if not raw:
        return None
    try:
        return bodies.parse(raw)
    except bodies.BodyError as error:
        raise ApiError(400, 6007, "Malformed JSON in request body") from error


def _respond(status: int, body: dict[str, Any], headers: dict[str, str]) -> web.Response:
    # Support asks for the ray; here it finds a request in the log of a client.
    ray = f"{secrets.token_hex(8)}-LAB"
    return web.json_response(body, status=status, headers={"CF-Ray": ray, **headers})
