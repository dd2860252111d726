"""What is there before any stack comes: the Proxmox node and the hosts that exist already.

They are containers, too, that the Proxmox API does not show: `node-<name>`, `host-<name>`.
"""

import hashlib
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from lab.errors import LabError
from lab.guests import Access, Device, GuestError, GuestSpec, Log, NetworkInterface, Volume
from lab.host import live
from lab.host.identity import ssh_port_steps, user_steps
from lab.host.lxc import LxcGuests
from lab.host.machine_keys import ensure_machine_keys
from lab.host.templates import NODE_RELEASE
from lab.paths import LabPaths
from lab.world.models import World

_GIB = 1024**3
_NODE_DISK_GB = 16
_TUN = Path("/dev/net/tun")
_SHUTDOWN_S = 30.0


class Machines:
    """The node and the hosts of a world, made when they are first started.

    `templates`: an archive for each release. Failures are LabErrors.
    """

    def __init__(
        self, paths: LabPaths, world: World, guests: LxcGuests, templates: dict[str, Path]
    ) -> None:
        self._paths = paths
        self._world = world
        self._guests = guests
        self._templates = templates

    @property
    def node(self) -> str:
        """The name of the node."""
        return self._world.proxmox.node.name

    @property
    def names(self) -> tuple[str, ...]:
        """The node first, then the hosts."""
        return (self.node, *self._world.hosts)

    def key(self, name: str) -> str:
        """The container that plays machine `name`; LabError when the world has none."""
        if name == self.node:
            return f"node-{name}"
        if name in self._world.hosts:
            return f"host-{name}"
        raise LabError(f"{name}: is no machine of this world; there are: {', '.join(self.names)}")

    def spec(self, name: str) -> GuestSpec:
        """Its container."""
        key = self.key(name)
        node = self._world.proxmox.node
        if name == node.name:
            card = self._card(key, node.bridge, node.address, node.gateway)
            return self._spec(name, card, _NODE_DISK_GB, node.memory_mb)
        host = self._world.hosts[name]
        card = self._card(key, host.bridge, host.address, host.gateway)
        return self._spec(name, card, host.disk_gb, host.memory_mb)

    def _spec(self, name: str, card: NetworkInterface, disk_gb: int, memory_mb: int) -> GuestSpec:
        key = self.key(name)
        image = self._paths.root / "machines" / f"{key}.raw"
        return GuestSpec(
            key=key,
            hostname=name,
            rootfs=Volume(volid=key, image=image, size_bytes=disk_gb * _GIB),
            mounts=(),
            interfaces=(card,),
            devices=(Device(str(_TUN), mode=0o666),) if _TUN.exists() else (),
            cores=None,
            cpulimit=0,
            memory_mb=memory_mb,
            swap_mb=0,
            nameservers=(),
            searchdomain=None,
            unprivileged=True,
            nesting=True,
        )

    def _card(
        self, key: str, bridge: str, address: IPv4Interface, gateway: IPv4Address
    ) -> NetworkInterface:
        digits = hashlib.sha256(key.encode()).hexdigest()
        return NetworkInterface(
            name="eth0",
            bridge=bridge,
            hwaddr=f"BC:24:11:{digits[0:2]}:{digits[2:4]}:{digits[4:6]}".upper(),
            ipv4=address,
            gateway4=gateway,
        )

    def is_running(self, name: str) -> bool:
        """Whether it is on."""
        return self._guests.is_running(self.key(name))

    async def start(self, name: str, log: Log) -> None:
        """Switch it on, made before if it never was; no error when it is on."""
        spec = self.spec(name)
        if self._guests.is_running(spec.key):
            return
        try:
            if not spec.rootfs.image.exists():
                await self._make(name, spec, log)
            await self._guests.start(spec, log)
        except GuestError as error:
            raise LabError(f"{name}: cannot be started: {error}") from error

    async def _make(self, name: str, spec: GuestSpec, log: Log) -> None:
        public_key = self._paths.ssh_key.with_suffix(".pub").read_text(encoding="utf-8")
        host = self._world.hosts.get(name)
        port = host.ssh_port if host else 22
        users = host.users if host else ("root",)
        release = host.release if host else NODE_RELEASE
        await self._guests.create_with(
            spec,
            self._templates[release],
            Access(ssh_public_keys=(public_key,) if "root" in users else ()),
            log,
            more=[*user_steps(users, (public_key,)), *ssh_port_steps(port)],
            ssh_port=port,
            host_keys=ensure_machine_keys(self._paths, self._world)[name],
        )

    async def stop(self, name: str, log: Log) -> None:
        """Shut it down; killed if it takes too long. No error when it is off."""
        key = self.key(name)
        try:
            if not await self._guests.shutdown(key, _SHUTDOWN_S, log):
                await self._guests.stop(key, log)
        except GuestError as error:
            raise LabError(f"{name}: cannot be stopped: {error}") from error

    async def reboot(self, name: str, log: Log) -> None:
        """Shut it down and start it again."""
        await self.stop(name, log)
        await self.start(name, log)

    async def watch(
        self,
        name: str,
        on_up: Callable[[int], Awaitable[None]],
        on_down: Callable[[], Awaitable[None]],
    ) -> None:
        """Until cancelled: tell of each init that machine `name` gets (its process id, whose
        network namespace is the machine's), and of its end, however it was started or stopped."""
        key = self.key(name)
        while True:
            pid = await self._guests.next_init(key)
            await on_up(pid)
            await live.ended(pid, None)
            await on_down()
