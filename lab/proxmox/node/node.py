"""The node's own calls."""

import platform

from lab.proxmox.call import Handler, Request, Rows, Values
from lab.proxmox.core import Core
from lab.proxmox.errors import died

MIB = 1 << 20
REPOSITORY_ID = "1e6b1ab000000000"
"""Where Proxmox has the hash of its sources: the lab's own mark."""


def handlers(core: Core) -> dict[str, Handler]:
    """The calls by name."""
    calls = _NodeCalls(core)
    return {
        "GET /nodes": calls.listing,
        "GET /nodes/{node}": calls.index,
        "GET /nodes/{node}/network": calls.network,
        "GET /nodes/{node}/status": calls.status,
        "POST /nodes/{node}/status": calls.power,
        "GET /nodes/{node}/version": calls.version,
        "GET /version": calls.version,
    }


def node_row(core: Core) -> Values:
    """The node's row in lists; figures are those of the world file."""
    node = core.world.proxmox.node
    disk = core.storages.total("local") if "local" in core.storages.all else 0
    return {
        "id": f"node/{node.name}",
        "node": node.name,
        "type": "node",
        "status": "online",
        "uptime": int(core.hooks.uptime_s()),
        "cpu": 0,
        "maxcpu": node.cores,
        "mem": 0,
        "maxmem": node.memory_mb * MIB,
        "disk": core.storages.used("local") if disk else 0,
        "maxdisk": disk,
        "level": "",
        "ssl_fingerprint": core.hooks.fingerprint,
    }


class _NodeCalls:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def listing(self, request: Request) -> Rows:
        row = node_row(self._core)
        if not request.caller.has(f"/nodes/{self._core.node}", "Sys.Audit"):
            row = {key: row[key] for key in ("id", "node", "type", "status", "ssl_fingerprint")}
        return [row]

    async def index(self, _: Request) -> Rows:
        names = ("lxc", "network", "query-url-metadata", "status", "storage", "tasks", "version")
        return [{"name": name} for name in names]

    async def version(self, _: Request) -> Values:
        number = self._core.world.proxmox.node.version
        return {"version": number, "release": number.rpartition(".")[0], "repoid": REPOSITORY_ID}

    async def status(self, _: Request) -> Values:
        row = node_row(self._core)
        total, disk, used = row["maxmem"], row["maxdisk"], row["disk"]
        system = platform.uname()
        number = self._core.world.proxmox.node.version
        return {
            "uptime": row["uptime"],
            "cpu": 0,
            "cpuinfo": {
                "cores": row["maxcpu"],
                "cpus": row["maxcpu"],
                "model": system.machine,
                "sockets": 1,
            },
            "memory": {"total": total, "used": 0, "free": total, "available": total},
            "rootfs": {"total": disk, "used": used, "free": disk - used, "avail": disk - used},
            "loadavg": ["0.00", "0.00", "0.00"],
            "pveversion": f"pve-manager/{number}/{REPOSITORY_ID}",
            "kversion": f"{system.system} {system.release} {system.version}",
            "current-kernel": {
                "machine": system.machine,
                "release": system.release,
                "sysname": system.system,
                "version": system.version,
            },
            "boot-info": {"mode": "efi", "secureboot": 0},
        }

    async def power(self, request: Request) -> None:
        if self._core.hooks.node_power is None:
            raise died("this lab's node has no power switch: it runs no containers")
        await self._core.hooks.node_power(request["command"])

    async def network(self, request: Request) -> Rows:
        wanted = request.get("type")
        if wanted not in {None, "bridge", "any_bridge", "any_local_bridge", "include_sdn"}:
            return []
        bridges = sorted(self._core.world.proxmox.bridges)
        return [
            self._bridge(name, index)
            for index, name in enumerate(bridges, start=3)
            if request.caller.has(
                f"/sdn/zones/localnetwork/{name}", "SDN.Audit", "SDN.Use", any_of=True
            )
            or request.caller.has(f"/nodes/{self._core.node}", "Sys.Audit")
        ]

    def _bridge(self, name: str, priority: int) -> Values:
        node = self._core.world.proxmox.node
        bridge = self._core.world.proxmox.bridges[name]
        row: Values = {
            "iface": name,
            "type": "bridge",
            "active": 1,
            "autostart": 1,
            "exists": 1,
            "families": ["inet"],
            "method": "manual",
            "method6": "manual",
            "bridge_ports": "",
            "priority": priority,
        }
        if bridge.vlans:
            row |= {"bridge_vlan_aware": 1, "bridge_vids": "2-4094"}
        if name == node.bridge:
            row |= {
                "method": "static",
                "cidr": str(node.address),
                "address": str(node.address.ip),
                "netmask": str(node.address.network.prefixlen),
                "gateway": str(node.gateway),
            }
        return row
