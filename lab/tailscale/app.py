"""The API as an aiohttp application.

Each request: is there such a call, who asks, of which tailnet, is it in scope, the call itself.
"""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote

from aiohttp import web

from lab.paths import LabPaths
from lab.tailscale.call import Call, Request, Text
from lab.tailscale.callers import Authenticator, Caller, basic
from lab.tailscale.core import Core, letters, new_id, open_store
from lab.tailscale.device_calls import DeviceCalls
from lab.tailscale.dns_calls import DnsCalls
from lab.tailscale.errors import ApiError
from lab.tailscale.key_calls import KeyCalls
from lab.tailscale.policy_calls import PolicyCalls
from lab.tailscale.state import AccessRecord, Json
from lab.tailscale.tailnet import KeptTailnets, Tailnets
from lab.world import World

PREFIX = "/api/v2"
TAILNETS = web.AppKey("TAILNETS", Tailnets)
_OWN_TAILNET = "-"
_HOUR_S = 3600
_GRANT = "client_credentials"
_LONGEST_BODY = 1024 * 1024
_logger = logging.getLogger(__name__)


def make_app(
    world: World, paths: LabPaths, clock: Callable[[], float] = time.time
) -> web.Application:
    """The API below `/api/v2`; `app[TAILNETS]` is for whatever carries the tailnets' traffic."""
    core = Core(world.tailscale, open_store(world.tailscale, paths.tailscale_state), clock)
    tailnets = KeptTailnets(core)
    app = web.Application(client_max_size=_LONGEST_BODY)
    app[TAILNETS] = tailnets
    app.router.add_route("*", "/{path:.*}", Dispatcher(core, tailnets).answer)
    return app


class Dispatcher:
    """Answers one request at a time, each with all its checks."""

    def __init__(self, core: Core, tailnets: Tailnets) -> None:
        self._core = core
        self._authenticator = Authenticator(core)
        self._calls: list[Call] = [
            *KeyCalls(core).calls(),
            *DeviceCalls(core, tailnets).calls(),
            *PolicyCalls(core).calls(),
            *DnsCalls(core).calls(),
        ]

    async def answer(self, http: web.Request) -> web.Response:
        """The answer, good or bad."""
        path = http.raw_path.partition("?")[0]
        try:
            if path == f"{PREFIX}/oauth/token" and http.method == "POST":
                return web.json_response(self._token(http.headers, await _read(http)))
            return await self._call(http, path)
        except ApiError as error:
            return web.json_response({"message": error.message}, status=error.status)
        except Exception:
            _logger.exception("%s %s", http.method, http.path)
            body = {"message": "internal error: see the lab's log"}
            return web.json_response(body, status=HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _call(self, http: web.Request, path: str) -> web.Response:
        caller = self._authenticator.caller(http.headers)
        call, values = self._find(http.method, path)
        self._require_own(caller, values.get("tailnet", _OWN_TAILNET))
        if call.scope:
            caller.require(call.scope, write=call.write)
        raw = await _read(http)
        request = Request(caller, values, dict(http.query), http.headers, raw)
        result: Any = await call.handler(request)
        headers = request.answer_headers
        if isinstance(result, Text):
            return web.Response(text=result.text, content_type=result.content_type, headers=headers)
        return web.json_response({} if result is None else result, headers=headers)

    def _find(self, method: str, path: str) -> tuple[Call, dict[str, str]]:
        place = path.removeprefix(PREFIX)
        if path.startswith(PREFIX):
            for call in self._calls:
                if call.method == method and (found := call.pattern.fullmatch(place)):
                    return call, {key: unquote(text) for key, text in found.groupdict().items()}
        raise ApiError(404, f"404 page not found: the lab's Tailscale has no {method} {path}")

    def _require_own(self, caller: Caller, tailnet: str) -> None:
        known = self._core.world.tailnets[caller.tailnet].dns_name
        if tailnet not in {_OWN_TAILNET, caller.tailnet, known}:
            raise ApiError(404, "tailnet not found")

    def _token(self, headers: Any, raw: bytes) -> Json:  # noqa: ANN401 - a mapping of texts
        """OAuth's client credentials, in the header or in the form."""
        try:
            form = {key: values[0] for key, values in parse_qs(raw.decode()).items()}
        except ValueError as error:
            raise ApiError(400, f"invalid request body: {error}") from error
        if form.get("grant_type", _GRANT) != _GRANT:
            raise ApiError(400, "unsupported_grant_type")
        said = basic(headers.get("Authorization", ""))
        client, secret = said or (form.get("client_id", ""), form.get("client_secret", ""))
        found = self._authenticator.find_client(unquote(client), unquote(secret))
        if found is None:
            raise ApiError(401, "API token invalid")
        tailnet, name = found
        allowed = self._authenticator.scopes_of(tailnet, name)
        wanted = form.get("scope", "").split() or list(allowed)
        for scope in wanted:
            plain = scope.removesuffix(":read")
            if not {scope, plain, "all"} & set(allowed):
                raise ApiError(400, f"requested scope {scope} is not granted to this client")
        record = self._core.record(tailnet)
        now = self._core.clock()
        record.access = [each for each in record.access if each.expires > now]
        value = f"tskey-api-{new_id()}-{letters(32)}"
        record.access.append(
            AccessRecord(value=value, client=name, scopes=wanted, expires=now + _HOUR_S)
        )
        self._core.store.save()
        return {
            "access_token": value,
            "token_type": "Bearer",
            "expires_in": _HOUR_S,
            "scope": " ".join(wanted),
        }


async def _read(http: web.Request) -> bytes:
    try:
        return await http.read()
    except web.HTTPRequestEntityTooLarge as error:
        text = f"request body too large: at most {_LONGEST_BODY} bytes"
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text) from error
