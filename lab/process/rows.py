"""What `lab status` has of each machine: name, kind, address, port, login, whether it runs."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_interface
from typing import Any

from lab.proxmox.containers.values import network
from lab.proxmox.core import Core
from lab.world import World

Row = dict[str, Any]


def machine_row(world: World, name: str, *, running: bool) -> Row:
    """The node, or a host of the world."""
    host = world.hosts.get(name)
    return {
        "name": name,
        "kind": "host" if host else "node",
        "address": str((host or world.proxmox.node).address.ip),
        "port": host.ssh_port if host else 22,
        "user": _login(host.users) if host else "root",
        "running": running,
    }


def container_rows(core: Core) -> Iterator[Row]:
    """The containers, by VM id."""
    for vmid, record in sorted(core.store.state.guests.items()):
        if record.kind != "lxc":
            continue
        yield {
            "name": record.config.get("hostname", f"CT{vmid}"),
            "kind": "container",
            "vm_id": vmid,
            "address": _address(record.config.get("net0", "")),
            "port": 22,
            "user": "root",
            "running": core.is_running(vmid),
        }


def _login(users: Sequence[str]) -> str:
    return "root" if "root" in users else users[0]


def _address(net0: str) -> str:
    text = network(net0).get("ip", "") if net0 else ""
    return str(ip_interface(text).ip) if "/" in text else ""
