"""The cluster's calls: free ids, and one list of everything."""

import time

from lab.proxmox.call import Handler, Request, Rows, Values
from lab.proxmox.containers.read import figures
from lab.proxmox.core import Core
from lab.proxmox.errors import bad_parameters, died
from lab.proxmox.node.node import node_row
from lab.proxmox.state import GuestRecord

_FIRST_ID, _LAST_ID = 100, 1_000_000


def handlers(core: Core) -> dict[str, Handler]:
    """The calls by name."""
    calls = _ClusterCalls(core)
    return {
        "GET /cluster": calls.index,
        "GET /cluster/nextid": calls.next_id,
        "GET /cluster/resources": calls.resources,
        "GET /cluster/status": calls.status,
    }


class _ClusterCalls:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def index(self, _: Request) -> Rows:
        return [{"name": name} for name in ("nextid", "resources", "status")]

    async def next_id(self, request: Request) -> int:
        taken = self._core.store.state.guests
        if request.get("vmid") is not None:
            if request.vmid in taken:
                raise bad_parameters({"vmid": f"VM {request.vmid} already exists"})
            return request.vmid
        for vmid in range(_FIRST_ID, _LAST_ID):
            if vmid not in taken:
                return vmid
        raise died(f"unable to get any free VMID in range [{_FIRST_ID}, {_LAST_ID}]")

    async def status(self, _: Request) -> Rows:
        node = self._core.world.proxmox.node
        return [
            {
                "id": f"node/{node.name}",
                "name": node.name,
                "type": "node",
                "ip": str(node.address.ip),
                "local": 1,
                "nodeid": 0,
                "online": 1,
                "level": "",
            }
        ]

    async def resources(self, request: Request) -> Rows:
        kind = request.get("type")
        rows: Rows = []
        if kind in {None, "vm"}:
            rows += await self._guests(request)
        if kind in {None, "node"}:
            row = node_row(self._core)
            rows.append({key: row[key] for key in row if key != "ssl_fingerprint"})
        if kind in {None, "storage"}:
            rows += self._storages(request)
        if kind is None:
            rows += self._pools(request)
        return rows

    async def _guests(self, request: Request) -> Rows:
        guests = sorted(self._core.store.state.guests.items())
        return [
            await self._guest(vmid, record)
            for vmid, record in guests
            if request.caller.has(f"/vms/{vmid}", "VM.Audit")
        ]

    async def _guest(self, vmid: int, record: GuestRecord) -> Values:
        pools = self._core.store.state.pools.items()
        row: Values = {
            "id": f"{record.kind}/{vmid}",
            "vmid": vmid,
            "node": self._core.node,
            "type": record.kind,
            "template": int(record.config.get("template", "0")),
        }
        row |= {key: record.config[key] for key in ("tags", "lock") if record.config.get(key)}
        for name, pool in pools:
            if vmid in pool.vms:
                row["pool"] = name
        if not self._sampled(record):
            return row | {"status": "unknown"}
        live = await figures(self._core, vmid, record)
        copied = ("status", "name", "cpu", "maxmem", "mem", "maxdisk", "disk", "uptime")
        row |= {key: live[key] for key in (*copied, "netin", "netout", "diskread", "diskwrite")}
        return row | {"maxcpu": live["cpus"]}

    def _sampled(self, record: GuestRecord) -> bool:
        """Whether the statistics have seen the guest; Proxmox collects them now and then."""
        every = self._core.hooks.sample_every_s
        return not every or record.created <= time.time() // every * every

    def _storages(self, request: Request) -> Rows:
        storages = self._core.storages
        return [
            {
                "id": f"storage/{self._core.node}/{name}",
                "type": "storage",
                "storage": name,
                "node": self._core.node,
                "status": "available" if storage.enabled else "unknown",
                "plugintype": storage.type,
                "content": ",".join(storage.content),
                "shared": 0,
                "maxdisk": storages.total(name),
                "disk": storages.used(name),
            }
            for name, storage in storages.all.items()
            if request.caller.has(
                f"/storage/{name}", "Datastore.Audit", "Datastore.AllocateSpace", any_of=True
            )
        ]

    def _pools(self, request: Request) -> Rows:
        return [
            {"id": f"/pool/{name}", "pool": name, "type": "pool"}
            for name in sorted(self._core.store.state.pools)
            if request.caller.has(f"/pool/{name}", "Pool.Audit")
        ]
