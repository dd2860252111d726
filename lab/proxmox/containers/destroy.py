"""Removing a container with its volumes, access entries, pool membership and firewall."""

from contextlib import suppress

from lab.guests import Log
from lab.proxmox.call import Request
from lab.proxmox.containers.config import merge_pending
from lab.proxmox.containers.spec import guest_spec
from lab.proxmox.core import Core, guest_key, require_unlocked
from lab.proxmox.errors import TaskError, died


async def destroy(core: Core, request: Request) -> str:
    """DELETE lxc/N: the UPID of the task."""
    vmid = request.vmid
    record = core.container(vmid)
    if record.config.get("protection") == "1":
        raise died(f"can't remove CT {vmid} - protection mode enabled")
    require_unlocked(record)
    force = request.flag("force")
    if core.is_running(vmid) and not force:
        raise died(f"unable to destroy CT {vmid} - container is running")
    unreferenced = request.flag("destroy-unreferenced-disks")

    async def work(log: Log) -> None:
        async with core.locked(vmid):
            await _remove(core, vmid, log, force=force, unreferenced=unreferenced)

    return core.tasks.start("vzdestroy", str(vmid), request.caller.auth_id, work)


async def _remove(core: Core, vmid: int, log: Log, *, force: bool, unreferenced: bool) -> None:
    record = core.container(vmid)
    if core.is_running(vmid):
        if not force:
            raise TaskError(f"unable to destroy CT {vmid} - container is running")
        assert core.guests is not None
        await core.guests.stop(guest_key(vmid), log)
    require_unlocked(record)
    # The whole configuration stays in `planned`, so that a destroy cut off can be finished.
    record.planned = merge_pending(record) | {
        key: value for key, value in record.config.items() if key.startswith(("rootfs", "mp"))
    }
    record.config, record.pending, record.pending_delete = {"lock": "destroyed"}, {}, []
    core.store.save()
    await finish_destroy(core, vmid, log, unreferenced=unreferenced)


async def finish_destroy(core: Core, vmid: int, log: Log, *, unreferenced: bool = False) -> None:
    """Remove what a container leaves, then its record."""
    state = core.store.state
    record = core.container(vmid)
    if not record.foreign and core.guests is not None and "rootfs" in record.planned:
        await core.guests.destroy(guest_spec(vmid, record.planned, core.storages), log)
    for key in ("rootfs", *sorted(record.planned)):
        if key == "rootfs" or key.startswith(("mp", "unused")):
            _remove_image(core, record.planned.get(key, ""), log)
    if unreferenced:
        for name in core.storages.all:
            for stored in core.storages.volumes(name):
                if stored.id.owner == vmid:
                    _remove_image(core, str(stored.id), log)
    state.acl = [entry for entry in state.acl if entry.path != f"/vms/{vmid}"]
    for pool in state.pools.values():
        if vmid in pool.vms:
            pool.vms.remove(vmid)
    state.firewalls.pop(vmid, None)
    del state.guests[vmid]
    core.store.save()


def _remove_image(core: Core, text: str, log: Log) -> None:
    volid = text.partition(",")[0]
    if not volid or volid.startswith("/"):
        return
    with suppress(FileNotFoundError):
        core.storages.path(core.storages.volume(volid)).unlink()
        log(f"volume '{volid}' removed")
