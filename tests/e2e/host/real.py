"""A lab without its process, for tests: its network, and containers that each test makes."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from lab.guests import Access, Device, GuestSpec, NetworkInterface, Volume
from lab.host.controllers import find_controllers
from lab.host.enter import command_inside
from lab.host.groups import unified_root
from lab.host.lxc import LxcGuests
from lab.host.network import make_network, name_server
from lab.host.teardown import remove_lab
from lab.paths import LabPaths
from lab.process.keys import ensure_login_key
from lab.world.models import World

GIB = 1024**3
Log = list[str]


@contextlib.contextmanager
def lab_called(name: str, root: Path, world: World) -> Iterator[LabPaths]:
    paths = LabPaths(name=name, root=root / name)
    paths.root.mkdir(parents=True)
    ensure_login_key(paths)
    make_network(paths, world)
    try:
        yield paths
    finally:
        remove_lab(paths)


class Host:
    """The lab and shorthands for what tests do with its containers."""

    def __init__(self, paths: LabPaths, world: World, template: Path) -> None:
        self.paths = paths
        self.world = world
        self.template = template
        self.guests = LxcGuests(paths, lambda spec: name_server(world, spec))
        self.log: Log = []
        self.made: list[GuestSpec] = []

    @property
    def access(self) -> Access:
        key = self.paths.ssh_key.with_suffix(".pub").read_text()
        return Access(password="correct horse", ssh_public_keys=(key,))

    def spec(self, number: int = 111, **changes: object) -> GuestSpec:
        spec = GuestSpec(
            key=f"ct-{number}",
            hostname=f"guest{number}",
            rootfs=self.volume(f"vm-{number}-disk-0", 2 * GIB),
            mounts=(),
            interfaces=(card(number),),
            devices=(),
            cores=None,
            cpulimit=0,
            memory_mb=512,
            swap_mb=0,
            nameservers=(),
            searchdomain=None,
            unprivileged=True,
            nesting=True,
        )
        return replace(spec, **changes)  # type: ignore[arg-type]

    def volume(self, name: str, size_bytes: int, mount_path: str = "/") -> Volume:
        image = self.paths.storages / "local-lvm" / "images" / f"{name}.raw"
        return Volume(f"local-lvm:{name}", image, size_bytes, mount_path)

    async def create(self, spec: GuestSpec) -> GuestSpec:
        self.made.append(spec)
        await self.guests.create(spec, self.template, self.access, self.log.append)
        return spec

    async def running(self, number: int = 111, **changes: object) -> GuestSpec:
        spec = await self.create(self.spec(number, **changes))
        await self.guests.start(spec, self.log.append)
        self.answer(spec, "true")
        return spec

    def ssh(
        self,
        address: str,
        command: str,
        *,
        user: str = "root",
        port: int = 22,
        key: Path | None = None,
        known_hosts: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """One attempt, by default with the lab's key and known_hosts file, always strictly."""
        options = {
            "UserKnownHostsFile": known_hosts or self.paths.known_hosts,
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "ConnectTimeout": 2,
            "LogLevel": "ERROR",
        }
        flags = [flag for k, v in options.items() for flag in ("-o", f"{k}={v}")]
        identity = ["-F", "/dev/null", "-i", str(key or self.paths.ssh_key), "-p", str(port)]
        full = command_inside(self.paths, ["ssh", *identity, *flags, f"{user}@{address}", command])
        return subprocess.run(full, capture_output=True, text=True, check=False, timeout=60)

    def answer(self, machine: GuestSpec | str, command: str, **how: object) -> str:
        """What `command` prints there, once sshd answers (within 15 s)."""
        address = machine if isinstance(machine, str) else address_of(machine)
        deadline = time.monotonic() + 15
        while True:
            done = self.ssh(address, command, **how)  # type: ignore[arg-type]
            if done.returncode == 0:
                return done.stdout.strip()
            refused = "refused" in done.stderr or "timed out" in done.stderr
            unreachable = "No route" in done.stderr or "closed" in done.stderr
            if not (refused or unreachable) or time.monotonic() > deadline:
                raise AssertionError(f"{command!r} at {address}: {done.stderr or done.stdout}")
            time.sleep(0.05)

    def group(self, spec: GuestSpec) -> Path:
        """The container's control group."""
        root = unified_root()
        assert root
        return root / self.paths.namespace / spec.key

    async def clean(self) -> None:
        for spec in self.made:
            await self.guests.stop(spec.key, self.log.append)
            await self.guests.destroy(spec, self.log.append)


def address_of(spec: GuestSpec) -> str:
    assert spec.interfaces[0].ipv4
    return str(spec.interfaces[0].ipv4.ip)


def card(number: int, **changes: object) -> NetworkInterface:
    made = NetworkInterface(
        name="eth0",
        bridge="vmbr0",
        hwaddr=f"BC:24:11:00:{number // 256:02X}:{number % 256:02X}",
        ipv4=IPv4Interface(f"192.168.1.{number % 256}/24"),
        gateway4=IPv4Address("192.168.1.1"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


TUN = Device("/dev/net/tun", mode=0o666)


async def until(condition: Callable[[], bool], what: str, limit_s: float = 20) -> None:
    """Wait for a condition; fails with `what` when it does not come true."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"after {limit_s} s not yet: {what}"
        await asyncio.sleep(0.02)


def memory_limit(host: Host, spec: GuestSpec) -> int:
    """The limit in force, as the kernel says it."""
    group = f"{host.paths.namespace}/{spec.key}"
    if find_controllers().memory == "cgroup2":
        return int((host.group(spec) / "memory.max").read_text())
    return int(Path(f"/sys/fs/cgroup/memory/{group}/memory.limit_in_bytes").read_text())
