"""The API on a loopback port, with a clock that tests turn."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from lab.paths import LabPaths
from lab.tailscale.app import TAILNETS, make_app
from lab.tailscale.credentials import api_key, oauth_client
from lab.tailscale.tailnet import Tailnets
from lab.world import DEFAULT_WORLD, load_world

TAILNET = "example.org"


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Api:
    """A running API, asked as an admin unless said otherwise."""

    url: str
    tailnets: Tailnets
    session: aiohttp.ClientSession
    key: str
    client: tuple[str, str]
    clock: Clock

    async def ask(
        self, method: str, path: str, body: Any = None, *, auth: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and body; `auth` is a whole Authorization header, or empty for none."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        wanted = aiohttp.encode_basic_auth(self.key, "") if auth is None else auth
        if wanted:
            sent["Authorization"] = wanted
        data = {"data": body} if isinstance(body, str) else {"json": body}
        url = f"{self.url}/api/v2{path}"
        async with self.session.request(method, url, headers=sent, **data) as answer:
            if "hujson" in answer.content_type:
                return answer.status, await answer.text()
            return answer.status, await answer.json()

    async def token(self, **form: str) -> str:
        """An Authorization header of the OAuth client."""
        headers = {"Authorization": aiohttp.encode_basic_auth(*self.client)}
        said = {"grant_type": "client_credentials", **form}
        url = f"{self.url}/api/v2/oauth/token"
        async with self.session.post(url, data=said, headers=headers) as answer:
            assert answer.status == 200
            return f"Bearer {(await answer.json())['access_token']}"


Start = Callable[[], Awaitable[Api]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts APIs on one state: the second one is what comes after a restart."""
    world, paths, clock = load_world(DEFAULT_WORLD), LabPaths("lab", tmp_path), Clock()
    async with AsyncExitStack() as stack:

        async def begin() -> Api:
            app = make_app(world, paths, clock)
            server = await stack.enter_async_context(TestServer(app))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            return Api(
                str(server.make_url("")).rstrip("/"),
                app[TAILNETS],
                session,
                api_key(paths, TAILNET, "admin"),
                oauth_client(paths, TAILNET, "deploy"),
                clock,
            )

        yield begin


@pytest.fixture
async def api(start: Start) -> Api:
    return await start()
