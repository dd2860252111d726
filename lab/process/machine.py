"""A lab with containers: a network namespace, the node and its hosts, the API at the node."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from ipaddress import IPv4Address
from typing import Any

from aiohttp import web

from lab.errors import LabError
from lab.guests import Guests
from lab.host import groups, live
from lab.host.capabilities import limits
from lab.host.identity import trust_steps
from lab.host.lxc import LxcGuests
from lab.host.machine_keys import ensure_machine_keys
from lab.host.machines import Machines
from lab.host.namespaces import network_of, open_socket_in
from lab.host.network import make_network, name_server
from lab.host.templates import ensure_templates, place_templates, releases_of
from lab.paths import LabPaths
from lab.process.inside import connector_inside
from lab.process.internet import CLOUDFLARE_URL, TAILSCALE_URL, Clouds, Internet
from lab.process.kept import Kept
from lab.process.names import Names
from lab.process.routers import Routers
from lab.process.rows import Row, container_rows, machine_row
from lab.process.tls import fingerprint, server_context
from lab.proxmox.app import CORE
from lab.proxmox.boot import shutdown_task, start_onboot, stop_all
from lab.proxmox.containers.power import start_task
from lab.proxmox.core import Core
from lab.stack.side import node_endpoint
from lab.world import World

_logger = logging.getLogger("lab.machine")
_SERVER = "proxmox"
_TOO_EARLY = "the lab is still starting; `bin/lab status` says when it is ready"


class Machine:
    """For root on Linux with LXC."""

    containers = True
    cloudflare_url = CLOUDFLARE_URL
    tailscale_url = TAILSCALE_URL

    def __init__(self, paths: LabPaths, world: World) -> None:
        self._paths = paths
        self._world = world
        self._node = world.proxmox.node
        self.endpoint = node_endpoint(world)
        self._kept = Kept(paths.switches)
        self._machines: Machines | None = None
        self._app: web.Application | None = None
        self._internet = Internet(paths)
        self._routers = Routers(paths, world, Names(self.addresses))
        self.connector = connector_inside(paths, self._routers)
        names = [str(self._node.address.ip), self._node.name, *self._node.dns_names]
        self._context = server_context(paths, _SERVER, names)
        self.fingerprint = fingerprint(paths, _SERVER)
        self._stack = AsyncExitStack()
        self._site: web.BaseSite | None = None
        self._api_answers = asyncio.Event()
        self._powering: asyncio.Task[None] | None = None
        self._begin = live.begin_of(os.getpid())

    def uptime_s(self) -> float:
        """Of the node."""
        return live.since(self._begin)

    async def open(self, say: Callable[[str], None]) -> Guests | None:
        """Network, names, packages, templates; the process joins the lab's control group."""
        say("network")
        root = groups.unified_root()
        if root is not None:
            groups.join(root / self._paths.namespace / groups.MONITOR)
        await asyncio.to_thread(make_network, self._paths, self._world)
        ensure_machine_keys(self._paths, self._world)
        hosts = await self._routers.start(self._stack)
        self._routers.switch(on=self._kept.now.packages)
        certificate = self._paths.ca_certificate.read_text(encoding="utf-8")
        guests = LxcGuests(
            self._paths,
            lambda spec: name_server(self._world, spec),
            trust_steps(certificate, hosts.guest_settings),
        )
        built = await asyncio.to_thread(ensure_templates, releases_of(self._world))
        place_templates(self._paths, self._world, built)
        self._machines = Machines(self._paths, self._world, guests, built)
        return guests

    async def open_internet(self, clouds: Clouds, say: Callable[[str], None]) -> None:
        """The APIs of Cloudflare and Tailscale, the edge, the connector's packages."""
        say("edge")
        await self._internet.start(clouds, self._stack)

    async def serve(self, app: web.Application, say: Callable[[str], None]) -> None:
        """Start the node, answer in it, start the hosts that are on."""
        self._app = app
        runner = web.AppRunner(app)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        machines, kept, node = self._all(), self._kept, self._node.name
        watching = asyncio.create_task(
            machines.watch(node, lambda pid: self._on_up(runner, pid), self._on_down)
        )
        watching.add_done_callback(_raise_unless_cancelled)
        self._stack.push_async_callback(_cancel, watching)
        if kept.now.on.get(node, True) or machines.is_running(node):
            say(f"node {node}")
            await machines.start(node, _logger.info)
            await self._api_answers.wait()
        for name, host in self._world.hosts.items():
            if kept.now.on.get(name, host.started):
                say(f"host {name}")
                await machines.start(name, _logger.info)
        if kept.now.power:
            # The process ended before the node had done what it was told.
            await self.power(kept.now.power)

    async def power(self, action: str) -> None:
        """Begin what the node's own reboot or shutdown does, asked for over the API."""
        # Only begin: once the node has gone down, nobody could be answered any more.
        self._kept.note(power=action)
        self._powering = asyncio.create_task(self._power(action))
        self._powering.add_done_callback(_raise_unless_cancelled)

    async def _power(self, action: str) -> None:
        node = self._node.name
        await stop_all(self._core)
        if action == "reboot":
            await self._all().reboot(node, _logger.info)
        else:
            self._kept.switch(node, on=False)
            await self._all().stop(node, _logger.info)
            self._kept.note(power="")

    async def machines(self) -> list[Row]:
        """Node, hosts and containers."""
        machines = self._machines
        if machines is None:
            return []
        own = [
            machine_row(self._world, name, running=machines.is_running(name))
            for name in machines.names
        ]
        return own + list(self._containers())

    async def start_host(self, name: str) -> None:
        """Switch a machine of the world, or a container, on."""
        vm_id = self._vm_id(name)
        if vm_id is None:
            self._all().key(name)
            self._kept.switch(name, on=True)
            await self._all().start(name, _logger.info)
        elif not self._core.is_running(vm_id):
            await self._finish(start_task(self._core, vm_id, "root@pam", skip_lock=False))

    async def stop_host(self, name: str) -> None:
        """Switch a machine of the world, or a container, off; the node takes its own along."""
        vm_id = self._vm_id(name)
        if vm_id is not None:
            if self._core.is_running(vm_id):
                await self._finish(shutdown_task(self._core, vm_id))
            return
        self._all().key(name)
        self._kept.switch(name, on=False)
        if name == self._node.name:
            await stop_all(self._core)
        await self._all().stop(name, _logger.info)

    def _vm_id(self, name: str) -> int | None:
        """Of the container with this name or id; machines of the world come first."""
        if name in self._all().names:
            return None
        found = (c["vm_id"] for c in self._containers() if name in {c["name"], str(c["vm_id"])})
        vm_id: int | None = next(found, None)
        if vm_id is not None and not self._all().is_running(self._node.name):
            raise LabError(f"{name}: its node is off; `bin/lab start {self._node.name}` first")
        return vm_id

    async def _finish(self, upid: str) -> None:
        await self._core.tasks.wait(upid)
        record = next(r for r in self._core.tasks.records if r.upid == upid)
        if record.exitstatus != "OK":
            raise LabError(f"container {record.id}: {record.exitstatus}")

    def switch_packages(self, *, on: bool) -> None:
        """Open or cut the way to packages."""
        self._kept.note(packages=on)
        self._routers.switch(on=on)

    def facts(self) -> dict[str, Any]:
        """What limits memory, how disks grow, whether packages can be reached."""
        known = limits()
        return {
            "missing": [],
            "memory_controller": known["memory"],
            "disk_growth": known["disk_growth"],
            "packages": self._routers.open,
            "packages_from_cache": self._routers.from_cache,
            **self._internet.facts(),
        }

    async def close(self) -> None:
        """Stop answering; node, hosts and containers go on running."""
        await self._stack.aclose()

    async def _on_up(self, runner: web.AppRunner, pid: int) -> None:
        await self._answer_in(runner, pid)
        self._begin = live.begin_of(pid)
        boot = f"{pid} {self._begin}"
        if boot != self._kept.now.booted:
            self._kept.note(power="")
            await start_onboot(self._core)
            self._kept.note(booted=boot)

    async def _answer_in(self, runner: web.AppRunner, pid: int) -> None:
        everywhere = "0.0.0.0"  # noqa: S104 - of the node alone
        listening = await asyncio.to_thread(
            open_socket_in, network_of(pid), everywhere, self._node.port
        )
        self._site = web.SockSite(runner, listening, ssl_context=self._context)
        await self._site.start()
        self._api_answers.set()
        _logger.info("the API answers at %s", self.endpoint)

    async def _on_down(self) -> None:
        self._api_answers.clear()
        if self._site is not None:
            await self._site.stop()
            self._site = None
        _logger.info("the node is down")
        await stop_all(self._core)

    def _containers(self) -> Iterator[Row]:
        yield from container_rows(self._core) if self._app is not None else ()

    @property
    def _core(self) -> Core:
        if self._app is None:
            raise LabError(_TOO_EARLY)
        return self._app[CORE]

    def _all(self) -> Machines:
        if self._machines is None:
            raise LabError(_TOO_EARLY)
        return self._machines

    def addresses(self) -> dict[str, list[IPv4Address]]:
        """Names of the node, the hosts, the containers, and of what is outside."""
        known = {self._node.name: [self._node.address.ip]}
        known |= {name: [self._node.address.ip] for name in self._node.dns_names}
        known |= {name: [host.address.ip] for name, host in self._world.hosts.items()}
        for machine in self._containers():
            if machine["address"]:
                known.setdefault(machine["name"], [IPv4Address(machine["address"])])
        # What is published wins, as it would where the lab's machines ask the world's servers.
        outside = self._internet.names()
        return {n: [] for n in outside} | known | {n: a for n, a in outside.items() if a}


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _raise_unless_cancelled(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _logger.error("the node: %s", error, exc_info=error)
