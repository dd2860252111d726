"""Pools: named sets of guests and storages."""

from lab.proxmox.call import Handler, Request, Rows, Values
from lab.proxmox.containers.read import figures
from lab.proxmox.core import Core
from lab.proxmox.errors import ApiError, died
from lab.proxmox.formats import split_list
from lab.proxmox.state import PoolRecord


def handlers(core: Core) -> dict[str, Handler]:
    """The calls by name."""
    calls = _PoolCalls(core)
    return {
        "GET /pools": calls.listing,
        "POST /pools": calls.create,
        "PUT /pools": calls.update,
        "DELETE /pools": calls.delete,
        "GET /pools/{poolid}": calls.read,
        "PUT /pools/{poolid}": calls.update,
        "DELETE /pools/{poolid}": calls.delete,
    }


class _PoolCalls:
    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def _pools(self) -> dict[str, PoolRecord]:
        return self._core.store.state.pools

    async def listing(self, request: Request) -> Rows:
        poolid = request.get("poolid")
        if poolid is not None:
            request.caller.require(f"/pool/{poolid}", "Pool.Audit")
            return [{"poolid": poolid} | await self.read(request)]
        return [
            {"poolid": name} | ({"comment": pool.comment} if pool.comment else {})
            for name, pool in sorted(self._pools.items())
            if request.caller.has(f"/pool/{name}", "Pool.Audit", "Pool.Allocate", any_of=True)
        ]

    async def read(self, request: Request) -> Values:
        pool = self._find(request["poolid"])
        members = [*await self._guests(pool), *self._storages(pool)]
        kind = request.get("type")
        shown = [row for row in members if kind is None or row["type"] == kind]
        comment = {"comment": pool.comment} if pool.comment else {}
        return comment | {"members": shown}

    async def create(self, request: Request) -> None:
        poolid = request["poolid"]
        if poolid in self._pools:
            raise died(f"create pool failed: pool '{poolid}' already exists")
        parent = poolid.rpartition("/")[0]
        if parent and parent not in self._pools:
            raise died(f"create pool failed: parent '{parent}' of pool '{poolid}' does not exist")
        self._pools[poolid] = PoolRecord(comment=request.get("comment", ""))
        self._core.store.save()

    async def update(self, request: Request) -> None:
        try:
            pool = self._find(request["poolid"])
            vms = [int(vmid) for vmid in split_list(request.get("vms", ""))]
            storages = split_list(request.get("storage", ""))
            self._require_members(request, vms, storages)
            remove = request.flag("delete")
            for vmid in vms:
                self._check_guest(request, vmid, pool, remove=remove)
            for name in storages:
                _check_storage(name, pool, remove=remove)
        except ApiError as error:
            if error.status != 500:
                raise
            raise died(f"update pools failed: {error.message}") from error
        self._move(pool, vms, storages, remove=remove)
        if (comment := request.get("comment")) is not None:
            pool.comment = comment
        self._core.store.save()

    async def delete(self, request: Request) -> None:
        poolid = request["poolid"]
        try:
            pool = self._find(poolid)
            for name in self._pools:
                if name.startswith(f"{poolid}/"):
                    raise died(f"pool '{poolid}' is not empty (contains pool '{name}')")
            live = [vmid for vmid in pool.vms if vmid in self._core.store.state.guests]
            if live:
                raise died(f"pool '{poolid}' is not empty (contains VM {live[0]})")
            if pool.storages:
                raise died(f"pool '{poolid}' is not empty (contains storage '{pool.storages[0]}')")
        except ApiError as error:
            raise died(f"delete pool failed: {error.message}") from error
        del self._pools[poolid]
        self._core.store.save()

    def _find(self, poolid: str) -> PoolRecord:
        if poolid not in self._pools:
            raise died(f"pool '{poolid}' does not exist")
        return self._pools[poolid]

    def _require_members(self, request: Request, vms: list[int], storages: list[str]) -> None:
        for path in (*(f"/vms/{vmid}" for vmid in vms), *(f"/storage/{s}" for s in storages)):
            allocate = "VM.Allocate" if path.startswith("/vms") else "Datastore.Allocate"
            request.caller.require(path, allocate, "Permissions.Modify", any_of=True)

    def _check_guest(self, request: Request, vmid: int, pool: PoolRecord, *, remove: bool) -> None:
        if remove and vmid not in pool.vms:
            raise died(f"VM {vmid} is not a pool member")
        if not remove and vmid in pool.vms:
            raise died(f"VM {vmid} is already a pool member")
        if remove or request.flag("allow-move"):
            return
        for name, other in self._pools.items():
            if vmid in other.vms:
                raise died(
                    f"VM {vmid} belongs already to pool '{name}' and 'allow-move' is not set"
                )

    def _move(self, pool: PoolRecord, vms: list[int], storages: list[str], *, remove: bool) -> None:
        if remove:
            pool.vms = [vmid for vmid in pool.vms if vmid not in vms]
            pool.storages = [name for name in pool.storages if name not in storages]
            return
        for other in self._pools.values():
            other.vms = [vmid for vmid in other.vms if vmid not in vms]
        pool.vms += vms
        pool.storages += storages

    async def _guests(self, pool: PoolRecord) -> Rows:
        guests = self._core.store.state.guests
        rows: Rows = []
        for vmid in sorted(vmid for vmid in pool.vms if vmid in guests):
            record = guests[vmid]
            row = await figures(self._core, vmid, record)
            kind = {"id": f"{record.kind}/{vmid}", "node": self._core.node, "type": record.kind}
            rows.append(row | kind)
        return rows

    def _storages(self, pool: PoolRecord) -> Rows:
        return [
            {
                "id": f"storage/{self._core.node}/{name}",
                "node": self._core.node,
                "storage": name,
                "type": "storage",
            }
            for name in pool.storages
        ]


def _check_storage(name: str, pool: PoolRecord, *, remove: bool) -> None:
    if remove and name not in pool.storages:
        raise died(f"Storage '{name}' is not a pool member")
    if not remove and name in pool.storages:
        raise died(f"Storage '{name}' is already a pool member")
