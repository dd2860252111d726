"""The control socket: how the command line asks the lab's process, and what it is answered."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from lab.errors import LabError
from lab.paths import LabPaths

Json = dict[str, Any]


@dataclass(frozen=True)
class Verbs:
    """What the process can be asked. Failures are LabErrors."""

    status: Callable[[], Awaitable[Json]]
    start_host: Callable[[str], Awaitable[None]]
    stop_host: Callable[[str], Awaitable[None]]
    switch_packages: Callable[[bool], None]
    stop: Callable[[], None]


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

    async def stop(_: web.Request) -> web.Response:
        verbs.stop()
        return web.json_response({})

    app = web.Application(middlewares=[_errors_as_text])
    app.add_routes(
        [
            web.get("/status", status),
            web.post("/hosts/{name}/{verb:start|stop}", host),
            web.post("/packages/{state:on|off}", packages),
            web.post("/stop", stop),
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


async def _ask(paths: LabPaths, method: str, path: str) -> Json:
    connector = aiohttp.UnixConnector(path=str(paths.control))
    async with (
        aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(120)) as session,
        session.request(method, f"http://lab{path}") as answer,
    ):
        body: Json = await answer.json()
        if answer.status != 200:
            raise LabError(body.get("error", f"the lab's process answered {answer.status}"))
        return body


def ask(paths: LabPaths, method: str, path: str) -> Json | None:
    """The answer of the lab's process; None when it does not run."""
    if not paths.control.exists():
        return None
    try:
        return asyncio.run(_ask(paths, method, path))
    except aiohttp.ClientConnectorError:
        return None


def ask_running(paths: LabPaths, method: str, path: str) -> Json:
    """The same, for what makes no sense without the process."""
    answer = ask(paths, method, path)
    if answer is None:
        raise LabError(f"lab {paths.name}: is not running; start it with `bin/lab up`")
    return answer
