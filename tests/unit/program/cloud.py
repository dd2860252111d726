"""The lab's Cloudflare on a loopback port, beside a program that blocks its own event loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from aiohttp import web

from lab.cloudflare.app import PREFIX, make_app
from lab.cloudflare.credentials import api_token
from lab.paths import LabPaths
from lab.world import DEFAULT_WORLD, load_world

ACCOUNT = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Cloudflare:
    """Where it answers, to whom."""

    url: str
    token: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """`result` of the answer; AssertionError with its text."""
        answer = requests.request(
            method,
            f"{self.url}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=10,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()["result"]

    def tunnel(self, name: str) -> str:
        """The id of a new tunnel."""
        body = {"name": name, "config_src": "cloudflare"}
        return str(self.ask("POST", f"accounts/{ACCOUNT}/cfd_tunnel", body)["id"])

    def set_rules(self, tunnel: str, *rules: dict[str, Any]) -> None:
        body = {"config": {"ingress": [*rules, {"service": "http_status:404"}]}}
        self.ask("PUT", f"accounts/{ACCOUNT}/cfd_tunnel/{tunnel}/configurations", body)


@contextmanager
def running_cloudflare(directory: Path) -> Iterator[Cloudflare]:
    """The API in a thread of its own."""
    paths = LabPaths("lab", directory)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(make_app(load_world(DEFAULT_WORLD), paths))

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    try:
        port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        yield Cloudflare(f"http://127.0.0.1:{port}{PREFIX}", api_token(paths, "deploy"))
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
