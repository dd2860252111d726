"""Changing options: at once where that works, pending until the next start where it does not."""

import copy
from dataclasses import dataclass, field

from lab.proxmox.call import Request
from lab.proxmox.containers.config import is_option
from lab.proxmox.containers.hotplug import RunningChanges
from lab.proxmox.containers.mounts import MountChanges
from lab.proxmox.containers.pending import apply_pending
from lab.proxmox.containers.request import check_device, check_mtu, require_disk_storage
from lab.proxmox.containers.resize import require_digest
from lab.proxmox.containers.rights import OptionRights
from lab.proxmox.containers.spec import require_bridges
from lab.proxmox.containers.values import Mount, is_volume_key, kept
from lab.proxmox.core import Core, require_unlocked
from lab.proxmox.errors import bad_parameters, died
from lab.proxmox.formats import split_list
from lab.proxmox.parameters.containers import OPTIONS
from lab.proxmox.state import GuestRecord
from lab.proxmox.validate import find

_REQUIRED = frozenset(("memory", "ostype", "rootfs"))


@dataclass(frozen=True)
class Change:
    """What a PUT asks for."""

    values: dict[str, str]
    deleted: list[str] = field(default_factory=list)
    reverted: list[str] = field(default_factory=list)


async def update(core: Core, request: Request) -> None:
    """PUT config."""
    change = _read(request)
    record = core.container(request.vmid)
    _require_rights(core, request, record, change)
    async with core.locked(request.vmid):
        record = core.container(request.vmid)
        require_unlocked(record)
        require_digest(record, request.get("digest"))
        _check(core, request, record, change)
        if core.is_running(request.vmid):
            await _on_running(core, request.vmid, record, change)
        else:
            await _on_stopped(core, request.vmid, record, change)


def _read(request: Request) -> Change:
    values = {key: value for key, value in request.params.items() if find(OPTIONS, key)}
    deleted = split_list(request.get("delete", ""))
    reverted = split_list(request.get("revert", ""))
    if not values and not deleted and not reverted:
        raise died("no options specified")
    for name, keys in (("delete", deleted), ("revert", reverted)):
        for key in keys:
            if key in values:
                text = f"you can't use '-{key}' and -{name} {key}' at the same time"
                raise bad_parameters({name: text})
            if not is_option(OPTIONS, key):
                raise bad_parameters({name: f"unknown option '{key}'"})
    return Change(values, deleted, reverted)


def _require_rights(core: Core, request: Request, record: GuestRecord, change: Change) -> None:
    pools = core.store.state.pools.items()
    pool = next((name for name, pool in pools if request.vmid in pool.vms), None)
    rights = OptionRights(
        request.caller,
        request.vmid,
        pool,
        unprivileged=record.config.get("unprivileged") == "1",
    )
    rights.require(record.config, change.values, change.deleted)


def _check(core: Core, request: Request, record: GuestRecord, change: Change) -> None:
    protected = record.config.get("protection") == "1"
    for key in change.deleted:
        if key == "unprivileged":
            raise died(f"unable to delete read-only option: '{key}'")
        if key in _REQUIRED:
            raise died(f"unable to delete required option '{key}'")
        if protected and is_volume_key(key):
            raise died(f"can't remove CT {request.vmid} drive '{key}' - protection mode enabled")
    for key, value in change.values.items():
        if key == "unprivileged":
            raise died(f"unable to modify read-only option: '{key}'")
        if protected and is_volume_key(key):
            raise died(f"can't update CT {request.vmid} drive '{key}' - protection mode enabled")
        _check_value(core, request, key, value)


def _check_value(core: Core, request: Request, key: str, value: str) -> None:
    if is_volume_key(key):
        mount = Mount.parse(key, value)
        if mount.kind != "volume" or mount.new_bytes is not None:
            require_disk_storage(core, request, mount)
    elif key.startswith("net"):
        check_mtu(core, key, value)
    elif key == "hookscript":
        raise died(f"script '{value}' does not exist")
    elif key.startswith("dev") and key[3:].isdigit():
        check_device(value)
    elif key.startswith("unused"):
        raise died(f"{key}: the lab sets unused volumes itself only")


async def _on_stopped(core: Core, vmid: int, record: GuestRecord, change: Change) -> None:
    after = copy.deepcopy(record)
    apply_pending(after)
    mounts = MountChanges(core, vmid, after)
    try:
        for key in change.deleted:
            if key.startswith("unused") and key in after.config:
                mounts.delete_unused(key)
            elif key in after.config:
                after.pending_delete.append(key)
        for key, value in change.values.items():
            is_volume = is_volume_key(key)
            after.pending[key] = (
                await mounts.volume_for(key, value) if is_volume else kept(key, value)
            )
        apply_pending(after)
    except BaseException:
        mounts.undo()
        raise
    _commit(core, record, after)
    mounts.done()
    # Proxmox writes the container's files last, so the change stays although this fails.
    require_bridges(record.config, core.world.proxmox.bridges)


async def _on_running(core: Core, vmid: int, record: GuestRecord, change: Change) -> None:
    after = copy.deepcopy(record)
    mounts = MountChanges(core, vmid, after)
    running = RunningChanges(core, vmid, after, mounts)
    try:
        running.revert(change.reverted)
        await running.delete(change.deleted)
        await running.set(change.values)
    except BaseException:
        mounts.undo()
        raise
    _commit(core, record, after)
    mounts.done()


def _commit(core: Core, record: GuestRecord, after: GuestRecord) -> None:
    record.config = after.config
    record.pending = after.pending
    record.pending_delete = after.pending_delete
    core.store.save()
