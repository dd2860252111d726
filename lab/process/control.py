"""The control socket: what the lab's process answers to the command line."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from lab.errors import LabError

Json = dict[str, Any]


@dataclass(frozen=True)
class Verbs:
    """What the process can be asked. Failures are LabErrors."""

    status: Callable[[], Awaitable[Json]]
    start_host: Callable[[str], Awaitable[None]]
    stop_host: Callable[[str], Awaitable[None]]
    switch_packages: Callable[[bool], None]


def control_app(verbs: Verbs) -> web.Application:
    """The process's side of the socket."""

    async def status(_: web.Request) -> web.Response:
        return web.json_response(await verbs.status())

    async def host(request: web.Request) -> web.Response:
        verb = verbs.start_host if request.match_info["verb"] == "start" else verbs.stop_host
        await verb(request.match_info["name"])
        return web.json_response({})

    async def packages(request: web.Request) -> web.Response:
        verbs.switch_packages(request.match_info["state"] == "on")
        return web.json_response({})

    app = web.Application(middlewares=[_errors_as_text])
    app.add_routes(
        [
            web.get("/status", status),
            web.post("/hosts/{name}/{verb:start|stop}", host),
            web.post("/packages/{state:on|off}", packages),
        ]
    )
    return app


@web.middleware
async def _errors_as_text(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except LabError as error:
        return web.json_response({"error": str(error)}, status=409)
