"""The calls on storages and their content."""

from contextlib import suppress

from lab.guests import Log
from lab.proxmox.access.rights import Caller
from lab.proxmox.call import Handler, Request, Rows, Values
from lab.proxmox.core import Core
from lab.proxmox.errors import ApiError, bad_parameters, died
from lab.proxmox.formats import split_list
from lab.proxmox.storage.download import Downloads
from lab.proxmox.storage.storages import Stored
from lab.proxmox.storage.volumes import VolumeId

_ON = "/nodes/{node}/storage"
_READ = ("Datastore.Audit", "Datastore.AllocateSpace")


def handlers(core: Core) -> dict[str, Handler]:
    """The calls by name."""
    calls, downloads = _StorageCalls(core), Downloads(core)
    return {
        f"GET {_ON}": calls.on_node,
        f"GET {_ON}/{{storage}}": calls.index,
        f"GET {_ON}/{{storage}}/status": calls.status,
        f"GET {_ON}/{{storage}}/content": calls.content,
        f"GET {_ON}/{{storage}}/content/{{volume}}": calls.volume,
        f"DELETE {_ON}/{{storage}}/content/{{volume}}": calls.delete,
        f"POST {_ON}/{{storage}}/download-url": downloads.download,
        "GET /nodes/{node}/query-url-metadata": downloads.metadata,
        "GET /storage": calls.listing,
        "GET /storage/{storage}": calls.configuration,
    }


class _StorageCalls:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._storages = core.storages

    async def listing(self, request: Request) -> Rows:
        kind = request.get("type")
        return [
            self._configuration(name)
            for name in self._readable(request.caller)
            if kind in {None, self._storages.all[name].type}
        ]

    async def configuration(self, request: Request) -> Values:
        name = request["storage"]
        self._storages.find(name)
        return self._configuration(name)

    async def on_node(self, request: Request) -> Rows:
        wanted = set(split_list(request.get("content", "")))
        names = [
            name
            for name in self._readable(request.caller)
            if request.get("storage") in {None, name}
            and (not wanted or wanted & set(self._storages.all[name].content))
            and (self._storages.all[name].enabled or not request.flag("enabled"))
        ]
        return [self._status(name) | {"storage": name} for name in names]

    async def index(self, request: Request) -> Rows:
        self._storages.find(request["storage"])
        return [{"subdir": name} for name in ("content", "download-url", "status")]

    async def status(self, request: Request) -> Values:
        if request["storage"] not in self._storages.all:
            raise bad_parameters({"storage": "No such storage."})
        return self._status(request["storage"])

    async def content(self, request: Request) -> Rows:
        name = request["storage"]
        self._storages.usable(name)
        wanted, owner = request.get("content"), request.get("vmid")
        return [
            self._row(stored)
            for stored in self._storages.volumes(name)
            if wanted in {None, stored.id.content}
            and (owner is None or stored.id.owner == int(owner))
            and self._may_read(request.caller, stored.id)
        ]

    async def volume(self, request: Request) -> Values:
        volume = self._volume(request)
        if not self._may_read(request.caller, volume):
            request.caller.require(f"/storage/{volume.storage}", *_READ, any_of=True)
        stored = self._storages.stored(volume)
        if stored is None:
            raise died(f"volume '{volume}' does not exist")
        return {
            "path": str(self._storages.path(volume)),
            "format": volume.format,
            "size": stored.size,
            "used": stored.used,
        }

    async def delete(self, request: Request) -> str:
        volume = self._volume(request)
        self._require_delete(request.caller, volume)
        self._refuse_used(volume)
        id_ = f"{volume.owner}@{volume.storage}" if volume.owner else volume.storage

        async def work(log: Log) -> None:
            path = self._storages.path(volume)
            try:
                path.unlink()
            except FileNotFoundError:
                if self._storages.find(volume.storage).type != "dir":
                    raise died(f"volume '{volume}' does not exist") from None
                log(f"disk image '{path}' does not exist")
            log(f"Removed volume '{volume}'")

        return self._core.tasks.start("imgdel", id_, request.caller.auth_id, work)

    def _refuse_used(self, volume: VolumeId) -> None:
        if volume.owner not in self._core.store.state.guests:
            return
        record = self._core.store.state.guests[volume.owner]
        for values in (record.config, record.pending, record.planned):
            for key, value in values.items():
                if value.partition(",")[0] == str(volume) and not key.startswith("unused"):
                    raise died(f"cannot remove volume '{volume}' - in use by CT {volume.owner}")

    def _volume(self, request: Request) -> VolumeId:
        given, storage = request["volume"], request["storage"]
        if ":" in given and not given.startswith(("vztmpl/", "iso/")):
            named = given.partition(":")[0]
            if named != storage:
                text = f"storage ID mismatch ({named} != {storage})"
                raise bad_parameters({"volume": text})
            return self._storages.volume(given)
        return self._storages.volume(f"{storage}:{given}")

    def _require_delete(self, caller: Caller, volume: VolumeId) -> None:
        path = f"/storage/{volume.storage}"
        with suppress(ApiError):
            if volume.owner is not None:
                caller.require(path, "Datastore.AllocateSpace")
                caller.require(f"/vms/{volume.owner}", "VM.Config.Disk")
                return
        caller.require(path, "Datastore.Allocate")

    def _may_read(self, caller: Caller, volume: VolumeId) -> bool:
        path = f"/storage/{volume.storage}"
        if caller.has(path, "Datastore.Allocate"):
            return True
        if volume.owner is None:
            return caller.has(path, *_READ, any_of=True)
        return caller.has(f"/vms/{volume.owner}", "VM.Config.Disk", "VM.Audit", any_of=True)

    def _readable(self, caller: Caller) -> list[str]:
        return [
            name
            for name in self._storages.all
            if caller.has(f"/storage/{name}", *_READ, any_of=True)
        ]

    def _configuration(self, name: str) -> Values:
        storage = self._storages.all[name]
        row: Values = {
            "storage": name,
            "type": storage.type,
            "content": ",".join(storage.content),
        }
        if not storage.enabled:
            row["disable"] = 1
        if storage.type == "dir":
            row["path"] = "/var/lib/vz"
        elif storage.type == "lvmthin":
            row |= {"vgname": "pve", "thinpool": "data"}
        else:
            row["pool"] = "rpool/data"
        return row

    def _status(self, name: str) -> Values:
        storage = self._storages.all[name]
        total = self._storages.total(name) if storage.enabled else 0
        used = min(self._storages.used(name), total)
        return {
            "type": storage.type,
            "content": ",".join(storage.content),
            "total": total,
            "used": used,
            "avail": total - used,
            "used_fraction": used / total if total else 0,
            "active": int(storage.enabled),
            "enabled": int(storage.enabled),
            "shared": 0,
        }

    @staticmethod
    def _row(stored: Stored) -> Values:
        row: Values = {
            "volid": str(stored.id),
            "content": stored.id.content,
            "format": stored.id.format,
            "size": stored.size,
            "ctime": stored.ctime,
        }
        if stored.id.owner is not None:
            row |= {"vmid": stored.id.owner, "used": stored.used}
        return row
