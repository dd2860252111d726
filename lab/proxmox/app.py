"""The API as an aiohttp application: each request goes through Proxmox's order of checks.

Authenticate, find the method, one value for each parameter, is it open to tokens, the right that
the method declares, the node, the parameter table, then the method itself.
"""

import asyncio
import json
import logging
import re
import time
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from lab.guests import Guests
from lab.paths import LabPaths
from lab.proxmox.access import declared
from lab.proxmox.access.authenticate import Authenticator
from lab.proxmox.access.rights import Caller
from lab.proxmox.body import Lists, form_values, merge, read_body
from lab.proxmox.call import Request
from lab.proxmox.core import Core
from lab.proxmox.errors import ApiError, UnauthorizedError, bad_parameters, died
from lab.proxmox.handlers import all_handlers
from lab.proxmox.hooks import Exchange, Hooks
from lab.proxmox.parameters import CALLS
from lab.proxmox.recover import recover
from lab.proxmox.routing import Routes
from lab.proxmox.validate import check
from lab.world import World

CORE = web.AppKey("CORE", Core)
_PREFIX = "/api2/json"
_HEADERS = {
    "Server": "pve-api-daemon/3.0",
    "Cache-Control": "max-age=0",
    "Pragma": "no-cache",
}
_JSON = "application/json;charset=UTF-8"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ANYBODY = Caller("", None)  # type: ignore[arg-type]
_logger = logging.getLogger(__name__)


def make_app(
    world: World, paths: LabPaths, guests: Guests | None, hooks: Hooks | None = None
) -> web.Application:
    """The API of the lab's node; `guests` None refuses what needs a container.

    The application keeps its parts under `app[CORE]` for the lab's process.
    """
    core = Core.open(world, paths, guests, hooks or Hooks())
    dispatcher = Dispatcher(core)
    # The dispatcher reads bodies itself and refuses what is too long in Proxmox's words.
    app = web.Application()
    app[CORE] = core
    app.router.add_route("*", r"/{path:[\s\S]*}", dispatcher.answer)

    async def on_startup(_: web.Application) -> None:
        await recover(core)

    async def on_cleanup(_: web.Application) -> None:
        await core.tasks.close()

    app.on_startup.append(on_startup)
    app.on_cleanup.append(on_cleanup)
    return app


class Dispatcher:
    """Answers one request at a time, each with all its checks."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._routes = Routes(CALLS)
        self._handlers = all_handlers(core)
        self._authenticator = Authenticator(core.store.state, core.rights, core.tickets)

    async def answer(self, http: web.Request) -> web.Response:
        """The answer, good or bad; anything above 399 closes the connection."""
        began = time.monotonic()
        exchange: Exchange = {"method": http.method, "path": http.path}
        try:
            data, total = await self._call(http, exchange)
            body = {"data": data} if total is None else {"data": data, "total": total}
            response = _respond(200, "OK", body)
        except UnauthorizedError as error:
            await asyncio.sleep(began + self._core.hooks.refusal_delay_s - time.monotonic())
            response = _refuse(error, bare=not error.with_body)
        except ApiError as error:
            response = _refuse(error, bare=False)
        except Exception as error:
            _logger.exception("%s %s", http.method, http.path)
            response = _refuse(died(f"{type(error).__name__}: {error}"), bare=False)
        if self._core.hooks.on_exchange is not None:
            body_text = response.body.decode() if isinstance(response.body, bytes) else ""
            exchange |= {"status": response.status, "reason": response.reason}
            exchange["answer"] = json.loads(body_text) if body_text else None
            self._core.hooks.on_exchange(exchange)
        return response

    async def _call(self, http: web.Request, exchange: Exchange) -> tuple[Any, int | None]:
        raw_path, _, raw_query = http.raw_path.partition("?")
        path = unquote(raw_path).removeprefix(_PREFIX) or "/"
        match = self._routes.find(http.method, path)
        table = CALLS[match.name] if match is not None else None
        anonymous = table is not None and table.anonymous
        caller = _ANYBODY if anonymous else self._authenticator.caller(http)
        body = await read_body(http)
        if match is None or table is None or not unquote(raw_path).startswith(_PREFIX):
            raise ApiError(501, f"Method '{http.method} {path}' not implemented")
        query: Lists = form_values(raw_query)
        params = merge(table.params, match.values, query, body)
        exchange |= {"call": match.name, "caller": caller.auth_id, "params": params}
        if table.closed_to_tokens and "!" in caller.auth_id:
            raise ApiError(
                403,
                f"Permission check failed (URI '{path}' not available with API token, "
                "need proper ticket.",
            )
        if table.check is not None and caller.auth_id != "root@pam":
            declared.require(table.check, caller, params)
        self._require_node(params)
        if faults := check(table.params, params):
            raise bad_parameters(faults)
        request = Request(params, caller)
        return await self._handlers[match.name](request), request.total

    def _require_node(self, params: dict[str, str]) -> None:
        node = params.get("node")
        if node is not None and node not in {self._core.node, "localhost"}:
            raise died(
                f"hostname lookup '{node}' failed - failed to get address info for: {node}: "
                "Name or service not known"
            )


def _respond(status: int, reason: str, body: dict[str, Any] | None) -> web.Response:
    if body is None:
        return web.Response(status=status, reason=reason, headers=_HEADERS)
    return web.Response(
        status=status,
        reason=reason,
        headers={**_HEADERS, "Content-Type": _JSON},
        body=json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(),
    )


def _refuse(error: ApiError, *, bare: bool) -> web.Response:
    reason = _CONTROL.sub(" ", error.message.partition("\n")[0]).strip()
    body: dict[str, Any] | None = None
    if not bare:
        body = {"data": None, "message": f"{error.message}\n"}
        if error.errors is not None:
            body["errors"] = error.errors
    response = _respond(error.status, reason, body)
    response.force_close()
    return response
