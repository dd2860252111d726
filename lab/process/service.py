"""Composes the lab's process: the ground, the API on it, and the control socket."""

import asyncio
import json
import logging
import os
import signal
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from aiohttp import web

from lab.cloudflare.app import make_app as make_cloudflare
from lab.paths import LabPaths
from lab.process.control import Verbs, control_app
from lab.process.ground import Ground
from lab.process.internet import Clouds
from lab.process.loopback import Loopback
from lab.proxmox.app import make_app
from lab.proxmox.hooks import Hooks
from lab.proxmox.record import Recorder
from lab.proxmox.storage.fetch import fetch_url, head_url
from lab.tailscale.app import make_app as make_tailscale
from lab.world import World, load_world

_logger = logging.getLogger("lab")
RECORD = "BERTH_LAB_RECORD"
"""Names a file that is given every request and answer of the API, a JSON line each."""


async def serve(paths: LabPaths) -> None:
    """Run until SIGTERM or SIGINT."""
    world = load_world(paths.world)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    paths.pid_file.write_text(str(os.getpid()))
    service = Service(paths, world)
    async with AsyncExitStack() as stack:
        await service.open_control(stack)
        await service.start(stack)
        await stopping.wait()
        _logger.info("stopping")


class Service:
    """The process's parts, and what it says about itself."""

    def __init__(self, paths: LabPaths, world: World) -> None:
        self._paths = paths
        self._world = world
        self._phase = "starting"
        self._ready = False
        self._ground = _ground(paths, world)

    async def open_control(self, stack: AsyncExitStack) -> None:
        """Answer on the control socket from the first moment on."""
        self._paths.control.unlink(missing_ok=True)
        app = control_app(
            Verbs(
                status=self.status,
                start_host=self._ground.start_host,
                stop_host=self._ground.stop_host,
                switch_packages=lambda on: self._ground.switch_packages(on=on),
            )
        )
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.UnixSite(runner, str(self._paths.control)).start()
        self._paths.control.chmod(0o600)

    async def start(self, stack: AsyncExitStack) -> None:
        """Bring everything up, in order."""
        guests = await self._ground.open(self._say)
        stack.push_async_callback(self._ground.close)
        record = os.environ.get(RECORD)
        app = make_app(
            self._world,
            self._paths,
            guests,
            Hooks(
                fetch=partial(fetch_url, connector=self._ground.connector),
                head=partial(head_url, connector=self._ground.connector),
                uptime_s=self._ground.uptime_s,
                node_power=self._ground.power,
                fingerprint=self._ground.fingerprint,
                on_exchange=Recorder(Path(record)) if record else None,
            ),
        )
        clouds = Clouds(
            make_cloudflare(self._world, self._paths), make_tailscale(self._world, self._paths)
        )
        await self._ground.open_internet(clouds, self._say)
        await self._ground.serve(app, self._say)
        self._ready = True
        self._say("ready")

    async def status(self) -> dict[str, Any]:
        """What `lab status --json` prints."""
        programs = self._paths.root / "programs.json"
        return {
            "name": self._paths.name,
            "ready": self._ready,
            "phase": self._phase,
            "pid": os.getpid(),
            "memory_bytes": psutil.Process().memory_info().rss,
            "endpoint": self._ground.endpoint,
            "cloudflare_url": self._ground.cloudflare_url,
            "tailscale_url": self._ground.tailscale_url,
            "containers": self._ground.containers,
            **self._ground.facts(),
            "machines": await self._ground.machines(),
            "programs": json.loads(programs.read_text()) if programs.exists() else [],
        }

    def _say(self, phase: str) -> None:
        self._phase = phase
        _logger.info("%s", phase)


def _ground(paths: LabPaths, world: World) -> Ground:
    missing = json.loads((paths.root / "missing.json").read_text())
    if missing:
        return Loopback(paths, world, missing)
    from lab.process.machine import Machine

    return Machine(paths, world)
