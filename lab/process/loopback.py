"""A lab without containers: its APIs answer on this machine's loopback address, nothing else."""

import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web

from lab.cloudflare.app import PREFIX
from lab.errors import LabError
from lab.guests import Guests
from lab.host.machine_keys import ensure_machine_keys
from lab.paths import LabPaths
from lab.process.internet import Clouds, serve_app
from lab.process.tls import fingerprint, server_context
from lab.proxmox.app import CORE
from lab.proxmox.storage.fetch import no_connector
from lab.world import World

_SERVER = "proxmox"


def _url(bound: socket.socket) -> str:
    return f"https://127.0.0.1:{bound.getsockname()[1]}"


class Loopback:
    """For a machine without root, without LXC, or that is no Linux."""

    containers = False

    def __init__(self, paths: LabPaths, world: World, missing: list[str]) -> None:
        self._paths = paths
        self._world = world
        self._missing = missing
        self._socket = self._bind("port")
        self._cloudflare, self._tailscale = (
            self._bind("cloudflare-port"),
            self._bind("tailscale-port"),
        )
        self.endpoint = f"{_url(self._socket)}/"
        self.cloudflare_url = f"{_url(self._cloudflare)}{PREFIX}"
        self.tailscale_url = _url(self._tailscale)
        self._context = server_context(paths, _SERVER, ["127.0.0.1", "localhost"])
        self.connector = no_connector
        self.fingerprint = fingerprint(paths, _SERVER)
        self._stack = AsyncExitStack()
        self._app: web.Application | None = None
        self._began = time.monotonic()

    def _bind(self, file: str) -> socket.socket:
        # The port stays the same over a restart, so that copies of stack files stay true.
        kept = self._paths.root / file
        wanted = int(kept.read_text()) if kept.exists() else 0
        try:
            bound = socket.create_server(("127.0.0.1", wanted))
        except OSError as error:
            raise LabError(
                f"127.0.0.1:{wanted}: is in use ({error.strerror}); end what listens there, "
                f"or `bin/lab down` for a new port"
            ) from error
        kept.write_text(str(bound.getsockname()[1]))
        return bound

    async def open(self, say: Callable[[str], None]) -> Guests | None:
        say("templates and host keys, as records")
        ensure_machine_keys(self._paths, self._world)
        for template in self._world.proxmox.templates:
            storage, _, name = template.volume.partition(":vztmpl/")
            archive = self._paths.storages / storage / "template" / "cache" / name
            archive.parent.mkdir(parents=True, exist_ok=True)
            # Nothing is unpacked here: that it is there is all that can be asked of it.
            archive.touch()
        return None

    async def open_internet(self, clouds: Clouds, say: Callable[[str], None]) -> None:
        say("the APIs of Cloudflare and Tailscale")
        await serve_app(clouds.cloudflare, self._stack, (self._cloudflare, self._context))
        await serve_app(clouds.tailscale, self._stack, (self._tailscale, self._context))

    async def serve(self, app: web.Application, say: Callable[[str], None]) -> None:
        say("the API, without containers")
        self._app = app
        await serve_app(app, self._stack, (self._socket, self._context))

    def uptime_s(self) -> float:
        """Of the process, which stands for the node."""
        return time.monotonic() - self._began

    async def power(self, action: str) -> None:
        raise LabError(f"{self._world.proxmox.node.name}: cannot {action} {self._why()}")

    async def machines(self) -> list[dict[str, Any]]:
        if self._app is None:
            return []
        return [
            {"name": record.config.get("hostname", str(vmid)), "kind": "container",
             "vm_id": vmid, "address": "", "port": 22, "running": False}
            for vmid, record in self._app[CORE].store.state.guests.items()
            if record.kind == "lxc"
        ]  # fmt: skip

    async def start_host(self, name: str) -> None:
        raise LabError(f"{name}: cannot start {self._why()}")

    async def stop_host(self, name: str) -> None:
        raise LabError(f"{name}: is not running {self._why()}")

    def switch_packages(self, *, on: bool) -> None:
        raise LabError(f"packages: cannot be switched {'on' if on else 'off'} {self._why()}")

    def facts(self) -> dict[str, Any]:
        return {"missing": self._missing, "memory_controller": None}

    async def close(self) -> None:
        await self._stack.aclose()

    def _why(self) -> str:
        return f"in a lab without containers ({'; '.join(self._missing)})"
