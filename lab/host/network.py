"""The lab's network namespace: bridges, router addresses, forwarding. Made and removed by name.

Each VLAN of a bridge is a bridge of its own (`vmbr0v20`): not every kernel can filter VLANs, and
what a container sees is the same.
"""

import hashlib
import subprocess
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from lab.errors import LabError
from lab.guests import GuestSpec, NetworkInterface
from lab.host import internet
from lab.host.enter import namespace_file, resolver_directory
from lab.host.lxc_config import bridge_of
from lab.paths import LabPaths
from lab.world.models import World

_FORWARDING = (
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv6/conf/all/forwarding",
)


def bridges(world: World) -> Iterator[tuple[str, tuple[IPv4Interface, ...]]]:
    """Every bridge to make, with the router's addresses on it."""
    for name, bridge in world.proxmox.bridges.items():
        yield name, bridge.routers
        for vlan, routers in bridge.vlans.items():
            yield f"{name}v{vlan}", routers


def make_network(paths: LabPaths, world: World) -> None:
    """Make what is missing of the namespace; nothing happens when it is there already."""
    if not namespace_file(paths).exists():
        _run(["ip", "netns", "add", paths.namespace])
    present = _run(["ip", "-netns", paths.namespace, "-oneline", "link", "show"])
    names = {line.split(": ")[1].partition("@")[0] for line in present.splitlines()}
    orders = ["link set lo up"]
    orders += [f"address replace {address}/32 dev lo" for address in internet.ADDRESSES]
    for name, routers in bridges(world):
        if name not in names:
            orders.append(" ".join(_link_add(paths, name)))
        orders += [f"address replace {address} dev {name}" for address in routers]
        orders.append(f"link set {name} up")
    _run(["ip", "-netns", paths.namespace, "-batch", "-"], "\n".join(orders) + "\n")
    inside = ["nsenter", f"--net={namespace_file(paths)}", "sh", "-c"]
    # A kernel without IPv6 has no such file, and no need for it.
    _run([*inside, 'for f; do if [ -e "$f" ]; then echo 1 >"$f"; fi; done', "sh", *_FORWARDING])
    _write_resolver(paths, world)


def make_vlans(paths: LabPaths, cards: Iterable[NetworkInterface]) -> None:
    """A bridge for each VLAN that the world does not name: a tag needs no consent on Proxmox
    either, it only leads nowhere."""
    for card in cards:
        name = bridge_of(card)
        if card.vlan is None or _is_there(paths, name) or not _is_there(paths, card.bridge):
            continue
        _run(["ip", "-netns", paths.namespace, *_link_add(paths, name)])
        _run(["ip", "-netns", paths.namespace, "link", "set", name, "up"])


def _link_add(paths: LabPaths, name: str) -> list[str]:
    """A bridge with an address of its own. Without one it takes the lowest among its cards, and
    whoever talks to the router would lose it for seconds when a container comes or goes."""
    digest = hashlib.sha256(f"{paths.namespace} {name}".encode()).digest()
    return ["link", "add", name, "address", f"02:{digest[:5].hex(':')}", "type", "bridge"]


def _is_there(paths: LabPaths, link: str) -> bool:
    command = ["ip", "-netns", paths.namespace, "link", "show", link]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def remove_network(paths: LabPaths) -> None:
    """Remove the namespace with all that is in it."""
    if namespace_file(paths).exists():
        _run(["ip", "netns", "delete", paths.namespace])


def name_server(world: World, spec: GuestSpec) -> tuple[str, ...]:
    """Whom a container without its own name servers asks: the router of its first network."""
    addresses = [card.ipv4.ip for card in spec.interfaces if card.ipv4]
    return (str(_router_for(world, addresses)),)


def _router_for(world: World, addresses: list[IPv4Address]) -> IPv4Address:
    routers = [router for _, all_routers in bridges(world) for router in all_routers]
    for address in addresses:
        for router in routers:
            if address in router.network:
                return router.ip
    return routers[0].ip


def _write_resolver(paths: LabPaths, world: World) -> None:
    directory = resolver_directory(paths)
    directory.mkdir(parents=True, exist_ok=True)
    router = _router_for(world, [world.proxmox.node.address.ip])
    known = {world.proxmox.node.name: world.proxmox.node.address.ip}
    known |= {name: host.address.ip for name, host in world.hosts.items()}
    hosts = ["127.0.0.1 localhost", "::1 localhost"]
    hosts += [f"{address} {name}" for name, address in known.items()]
    _write(directory / "resolv.conf", f"nameserver {router}\n")
    _write(directory / "hosts", "\n".join(hosts) + "\n")
    _write(directory / "nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _run(command: list[str], stdin: str = "") -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(
            f"the lab's network: `{' '.join(command[:5])}` failed: {done.stderr.strip()}; "
            f"`bin/lab down` removes what is left"
        )
    return done.stdout
