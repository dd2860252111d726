"""What the Proxmox API asks of whatever really runs containers. Shapes only, no behaviour."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from pathlib import Path
from typing import Protocol

Log = Callable[[str], None]
"""Takes one line of a task's log."""


class GuestError(Exception):
    """A container could not be made or changed; the text is the last line of its task."""


@dataclass(frozen=True)
class Volume:
    """A root file system or mount point: a sparse ext4 image of `size_bytes` at `image`."""

    volid: str
    image: Path
    size_bytes: int
    mount_path: str = "/"
    read_only: bool = False


@dataclass(frozen=True)
class NetworkInterface:
    """One virtual network card. `ipv4` and `ipv6` are None for "manual"; `dhcp` asks for DHCP."""

    name: str
    bridge: str
    hwaddr: str
    ipv4: IPv4Interface | None = None
    gateway4: IPv4Address | None = None
    ipv6: IPv6Interface | None = None
    gateway6: IPv6Address | None = None
    dhcp4: bool = False
    vlan: int | None = None
    mtu: int | None = None
    link_down: bool = False


@dataclass(frozen=True)
class Device:
    """A device of the host passed into the container."""

    path: str
    mode: int | None = None
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class GuestSpec:
    """Everything needed to start a container. `key` names it: `ct-111`, `node-pve`, `host-web`."""

    key: str
    hostname: str
    rootfs: Volume
    mounts: tuple[Volume, ...]
    interfaces: tuple[NetworkInterface, ...]
    devices: tuple[Device, ...]
    cores: int | None
    cpulimit: float
    memory_mb: int
    swap_mb: int
    nameservers: tuple[str, ...]
    searchdomain: str | None
    unprivileged: bool
    nesting: bool


@dataclass(frozen=True)
class Access:
    """Who may log in to a container as root, applied once when it is made."""

    password: str | None = None
    ssh_public_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class LiveInterface:
    """An interface as a running container shows it, `lo` included."""

    name: str
    hwaddr: str
    addresses: tuple[IPv4Interface | IPv6Interface, ...]


@dataclass(frozen=True)
class Usage:
    """What a running container uses now; bytes and seconds."""

    pid: int
    uptime_s: int
    memory_bytes: int
    disk_bytes: int
    netin_bytes: int
    netout_bytes: int


class Guests(Protocol):
    """Makes, starts, changes and removes containers. Every failure is a GuestError."""

    async def create(self, spec: GuestSpec, template: Path, access: Access, log: Log) -> None:
        """Make the volumes' images and unpack `template` (a tar archive) into the root one."""

    async def start(self, spec: GuestSpec, log: Log) -> None:
        """Boot it with exactly this configuration; returns when its init runs."""

    async def stop(self, key: str, log: Log) -> None:
        """Kill it; no error when it does not run."""

    async def shutdown(self, key: str, timeout_s: float, log: Log) -> bool:
        """Ask its init to end; False when it still runs after `timeout_s`."""

    async def destroy(self, spec: GuestSpec, log: Log) -> None:
        """Remove a stopped container with its volumes."""

    async def add_volume(self, spec: GuestSpec, volume: Volume, log: Log) -> None:
        """Make the empty image of a mount point that was added to the configuration."""

    async def resize(self, spec: GuestSpec, volume: Volume, size_bytes: int, log: Log) -> None:
        """Grow an image and its file system, running or not."""

    async def apply(self, old: GuestSpec, new: GuestSpec) -> None:
        """Bring a running container from `old` to `new` as far as that works without a restart."""

    def is_running(self, key: str) -> bool:
        """Whether its init runs."""

    async def interfaces(self, key: str) -> tuple[LiveInterface, ...]:
        """Interfaces of a running container."""

    async def usage(self, spec: GuestSpec) -> Usage:
        """Figures of a running container."""
