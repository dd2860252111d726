"""Making a container: a locked, empty configuration at once, the rest in a task.

A create that was cut off leaves nothing: at the next start its volumes and its record go.
"""

import time
from contextlib import suppress
from pathlib import Path

from lab.guests import GuestError, Log
from lab.proxmox.call import Request
from lab.proxmox.containers import power
from lab.proxmox.containers.ostype import detect_ostype, promised_ostype
from lab.proxmox.containers.request import CreateRequest, check_create, require_free
from lab.proxmox.containers.spec import guest_spec
from lab.proxmox.containers.values import kept, size_text
from lab.proxmox.core import Core
from lab.proxmox.errors import ApiError, TaskError, died
from lab.proxmox.state import GuestRecord

_DEFAULTS = {"arch": "amd64", "memory": "512", "swap": "512"}


async def create(core: Core, request: Request) -> str:
    """POST lxc: the UPID of the task that makes the container."""
    wanted = check_create(core, request)
    vmid = wanted.vmid
    prefix = f"unable to create CT {vmid} - "
    try:
        async with core.locked(vmid, core.hooks.create_lock_timeout_s):
            require_free(core, vmid)
            record = GuestRecord(config={"lock": "create"}, created=time.time())
            core.store.state.guests[vmid] = record
            core.store.save()
    except ApiError as error:
        raise died(f"{prefix}{error.message}") from error
    user = request.caller.auth_id

    async def work(log: Log) -> None:
        try:
            await _make(core, wanted, record, log)
        except (ApiError, GuestError, TaskError, OSError) as error:
            await remove_half_made(core, vmid, log)
            text = error.message if isinstance(error, ApiError) else str(error)
            raise TaskError(f"{prefix}{text}") from error
        except BaseException:
            await remove_half_made(core, vmid, log)
            raise
        if wanted.start:
            power.start_task(core, vmid, user, skip_lock=False)

    return core.tasks.start("vzcreate", str(vmid), user, work)


async def _make(core: Core, wanted: CreateRequest, record: GuestRecord, log: Log) -> None:
    assert core.guests is not None
    template = core.storages.path(wanted.template)
    if not template.is_file():
        raise TaskError(f"volume '{wanted.template}' does not exist")
    for mount in wanted.mounts:
        require_space(core, mount.storage, template.stat().st_size)
    # No lock of the file is held here: `lock: create` keeps all others away.
    record.planned = await _plan(core, wanted, template, log)
    core.store.save()
    spec = guest_spec(wanted.vmid, record.planned, core.storages)
    log(f"extracting archive '{template}'")
    await core.guests.create(spec, template, wanted.access, log)
    record.config, record.planned = record.planned, {}
    if wanted.pool is not None:
        core.store.state.pools[wanted.pool].vms.append(wanted.vmid)
    core.store.save()


async def _plan(core: Core, wanted: CreateRequest, template: Path, log: Log) -> dict[str, str]:
    config = {**_DEFAULTS, "hostname": f"CT{wanted.vmid}", **wanted.options}
    if config["unprivileged"] == "0":
        del config["unprivileged"]
    config = {key: kept(key, text) for key, text in config.items()}
    if config.get("ostype") != "unmanaged":
        promised = promised_ostype(core.world, str(wanted.template))
        found = promised or await detect_ostype(template)
        if "ostype" in config and config["ostype"] != found:
            log(f"setting ostype to '{found}', the template is no '{config['ostype']}'")
        config["ostype"] = found
    taken: list[str] = []
    for mount in wanted.mounts:
        size = mount.new_bytes
        assert size is not None
        volume = core.storages.next_image(mount.storage, wanted.vmid, taken)
        taken.append(str(volume))
        config[mount.key] = str(mount.with_volume(str(volume), size))
        log(f"volume '{volume}' of {size_text(size)} for {mount.key}")
    return config


def require_space(core: Core, storage: str, needed: int) -> None:
    """Raise a TaskError when what the volumes really hold leaves less than `needed` bytes."""
    free = core.storages.total(storage) - core.storages.used(storage)
    if free >= needed:
        return
    kind = core.storages.find(storage).type
    raise TaskError(
        {
            "lvmthin": f"lvcreate '{storage}' error: Cannot create new thin volume, "
            f"free space in thin pool {storage} reached threshold.",
            "zfspool": f"zfs error: cannot create volume on '{storage}': out of space",
            "dir": f"storage '{storage}': No space left on device",
        }[kind]
    )


async def remove_half_made(core: Core, vmid: int, log: Log) -> None:
    """Take back a create that did not finish: volumes, record, firewall."""
    record = core.store.state.guests.pop(vmid, None)
    core.store.state.firewalls.pop(vmid, None)
    core.store.save()
    if record is None or not record.planned or core.guests is None:
        return
    spec = guest_spec(vmid, record.planned, core.storages)
    try:
        await core.guests.destroy(spec, log)
    except GuestError as error:
        log(f"cleanup: {error}")
    for volume in (spec.rootfs, *spec.mounts):
        with suppress(FileNotFoundError):
            volume.image.unlink()
