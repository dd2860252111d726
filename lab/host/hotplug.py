"""Changes of a running container: limits, network cards, new mount points and devices."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from lab.guests import GuestError, GuestSpec, NetworkInterface
from lab.host.announce import announce
from lab.host.boot_order import device_orders, find_devices, shift_of
from lab.host.commands import run
from lab.host.controllers import Legacy
from lab.host.legacy import write_limits
from lab.host.lxc_config import bridge_of, outer_name
from lab.host.namespaces import network_of
from lab.host.stage import STAGE
from lab.paths import CHECKOUT, LabPaths


def legacy_group(monitor: int, controller: str, group: str) -> Path:
    """A container's cgroup v1 group, as the mount namespace of its monitor shows it."""
    return Path(f"/proc/{monitor}/root{STAGE}/v1/{controller}/{group}")


def set_limits(group: Path, limits: list[tuple[str, str]]) -> None:
    """Write cgroup2 limits."""
    for name, value in limits:
        try:
            (group / name).write_text(value)
        except OSError as error:
            raise GuestError(f"{name} cannot become {value}: {error.strerror}") from error


def set_legacy_limits(monitor: int, group: str, limits: Legacy) -> None:
    """Write cgroup v1 limits; the kernel refuses one below what is used and cannot be freed."""
    for controller, files in limits.items():
        try:
            write_limits(legacy_group(monitor, controller, group), files)
        except OSError as error:
            wanted = ", ".join(f"{name} {value}" for name, value in files)
            raise GuestError(f"{wanted} cannot be set: {error.strerror}") from error


async def change_cards(paths: LabPaths, pid: int, old: GuestSpec, new: GuestSpec) -> None:
    """Remove, add and readdress network cards."""
    before = {card.name: card for card in old.interfaces}
    after = {card.name: card for card in new.interfaces}
    for name, card in before.items():
        if name not in after or _hardware(after[name]) != _hardware(card):
            await _ip(paths, "link", "delete", outer_name(card, old.key))
    for name, card in after.items():
        known = before.get(name)
        if known == card:
            continue
        if known is None or _hardware(known) != _hardware(card):
            await _plug(paths, pid, new.key, card)
        else:
            await _inside(pid, "address", "flush", "dev", name, "scope", "global")
        await _address(pid, card)


def _hardware(card: NetworkInterface) -> NetworkInterface:
    """What of a card cannot change while it stays: all but its addresses."""
    return replace(card, ipv4=None, gateway4=None, ipv6=None, gateway6=None, dhcp4=False)


async def _plug(paths: LabPaths, pid: int, key: str, card: NetworkInterface) -> None:
    outer = outer_name(card, key)
    mtu = ["mtu", str(card.mtu)] if card.mtu else []
    peer = ["peer", "name", card.name, "address", card.hwaddr, *mtu, "netns", str(pid)]
    await _ip(paths, "link", "add", outer, *mtu, "type", "veth", *peer)
    await _ip(paths, "link", "set", outer, "master", bridge_of(card), "up")


async def _address(pid: int, card: NetworkInterface) -> None:
    if card.link_down:
        return
    await _inside(pid, "link", "set", card.name, "up")
    for address in (card.ipv4, card.ipv6):
        if address:
            await _inside(pid, "address", "replace", str(address), "dev", card.name)
    for gateway in (card.gateway4, card.gateway6):
        if gateway:
            version = f"-{gateway.version}"
            route = ["route", "replace", "default", "via", str(gateway), "dev", card.name]
            await _inside(pid, version, *route)
    announce(network_of(pid), [card])


async def _ip(paths: LabPaths, *arguments: str) -> None:
    await run(["ip", "-netns", paths.namespace, *arguments])


async def _inside(pid: int, *arguments: str) -> None:
    await run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", *arguments])


async def add_mounts(monitor: int, pid: int, old: GuestSpec, new: GuestSpec) -> None:
    """Mount the volumes that `new` has at a path where `old` has none."""
    taken = {volume.mount_path for volume in old.mounts}
    for number, volume in enumerate(new.mounts):
        if volume.mount_path not in taken:
            arguments = [str(volume.image), f"mount{number}", volume.mount_path, str(pid)]
            flags = [str(shift_of(new)), "ro" if volume.read_only else "rw"]
            await _hotmount(monitor, *arguments, *flags)


async def add_devices(monitor: int, pid: int, old: GuestSpec, new: GuestSpec) -> None:
    """Show the devices that `new` has and `old` has not."""
    known = {device.path for device in old.devices}
    orders = device_orders(find_devices(new), shift_of(new))
    for number, (device, order) in enumerate(zip(new.devices, orders, strict=True)):
        if device.path not in known:
            place = {"name": f"hot{number}", "target": device.path, "pid": pid}
            more = {**place, "shift": shift_of(new)}
            await _hotmount(monitor, "device", json.dumps(order | more))


async def _hotmount(monitor: int, *arguments: str) -> None:
    namespace = f"--mount=/proc/{monitor}/ns/mnt"
    module = [sys.executable, "-S", "-m", "lab.host.hotmount"]
    await run(["nsenter", namespace, f"--wdns={CHECKOUT}", *module, *arguments])
