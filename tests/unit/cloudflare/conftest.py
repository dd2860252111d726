"""The API on a loopback port, with the official SDK as its client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from cloudflare import AsyncCloudflare

from lab.cloudflare.app import PREFIX, TUNNELS, make_app
from lab.cloudflare.credentials import api_token
from lab.cloudflare.tunnels import Tunnels
from lab.paths import LabPaths
from lab.world import DEFAULT_WORLD, World, load_world

HOME = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Api:
    """A running API."""

    url: str
    tunnels: Tunnels
    paths: LabPaths
    client: AsyncCloudflare
    stack: AsyncExitStack

    async def as_token(self, value: str) -> AsyncCloudflare:
        """A client with another token."""
        client = AsyncCloudflare(api_token=value, base_url=self.url, max_retries=0)
        return await self.stack.enter_async_context(client)


Start = Callable[..., Awaitable[Api]]


@pytest.fixture
def world() -> World:
    return load_world(DEFAULT_WORLD)


@pytest.fixture
async def start(tmp_path: Path, world: World) -> AsyncIterator[Start]:
    """Starts APIs on one state: the second one is what comes after a restart."""
    async with AsyncExitStack() as stack:

        async def begin(changed: World = world) -> Api:
            paths = LabPaths("lab", tmp_path)
            app = make_app(changed, paths)
            server = await stack.enter_async_context(TestServer(app))
            url = str(server.make_url(PREFIX))
            client = AsyncCloudflare(
                api_token=api_token(paths, "deploy"),
                base_url=url,
                max_retries=0,
                _strict_response_validation=True,
            )
            await stack.enter_async_context(client)
            return Api(url, app[TUNNELS], paths, client, stack)

        yield begin


@pytest.fixture
async def api(start: Start) -> Api:
    return await start()
