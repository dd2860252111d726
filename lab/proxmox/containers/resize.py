"""Growing a volume."""

from lab.guests import Log, Volume
from lab.proxmox.call import Request
from lab.proxmox.containers.config import digest, merge_pending
from lab.proxmox.containers.spec import guest_spec
from lab.proxmox.containers.values import Mount, size_text
from lab.proxmox.core import Core, require_unlocked
from lab.proxmox.errors import ApiError, died
from lab.proxmox.formats import size_bytes
from lab.proxmox.state import GuestRecord


async def resize(core: Core, request: Request) -> str:
    """PUT resize: the checks now, the growing in a task."""
    vmid, key = request.vmid, request["disk"]
    record = core.container(vmid)
    async with core.locked(vmid):
        target = _check(core, request, record)

    async def work(log: Log) -> None:
        async with core.locked(vmid):
            await _grow(core, vmid, key, target, log)

    return core.tasks.start("resize", str(vmid), request.caller.auth_id, work)


def _check(core: Core, request: Request, record: GuestRecord) -> int:
    require_unlocked(record)
    require_digest(record, request.get("digest"))
    key = request["disk"]
    if key not in record.config:
        raise died(f"disk '{key}' does not exist")
    mount = Mount.parse(key, record.config[key])
    request.caller.require(f"/storage/{mount.storage}", "Datastore.AllocateSpace")
    if core.guests is None:
        raise died(core.hooks.no_guests)
    text = request["size"]
    target = size_bytes(text.removeprefix("+"))
    if text.startswith("+"):
        target += mount.size
    if target < mount.size:
        raise died("unable to shrink disk size")
    if target == mount.size:
        raise died("disk is already at specified size")
    return target


def require_digest(record: GuestRecord, given: str | None) -> None:
    """Raise a 500 when the caller has read an older configuration."""
    if given and given != digest(record):
        raise died("detected modified configuration - file changed by other user? Try again.")


async def _grow(core: Core, vmid: int, key: str, target: int, log: Log) -> None:
    record = core.container(vmid)
    if core.guests is None:
        raise ApiError(500, core.hooks.no_guests)
    spec = guest_spec(vmid, record.config, core.storages)
    mount = Mount.parse(key, record.config[key])
    volume: Volume = next(v for v in (spec.rootfs, *spec.mounts) if v.volid == mount.volume)
    await core.guests.resize(spec, volume, target, log)
    record.config[key] = str(mount.with_volume(mount.volume, target))
    if key in record.pending:
        waiting = Mount.parse(key, merge_pending(record)[key])
        record.pending[key] = str(waiting.with_volume(waiting.volume, target))
    core.store.save()
    log(f"{key} is {size_text(target)} now")
