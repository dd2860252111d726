"""What a create asks for, checked in Proxmox's order before any task exists."""

import stat
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from lab.guests import Access
from lab.proxmox.call import Request
from lab.proxmox.containers.rights import OptionRights
from lab.proxmox.containers.values import Mount, device, is_volume_key, network
from lab.proxmox.core import Core
from lab.proxmox.errors import bad_parameters, died, forbidden
from lab.proxmox.parameters.containers import OPTIONS
from lab.proxmox.storage.volumes import VolumeId
from lab.proxmox.validate import find

_BRIDGE_MTU = 1500
_DEFAULT_DISK_GIB = 4


@dataclass(frozen=True)
class CreateRequest:
    """A create that passed all checks; `options` are as sent, volumes have no names yet."""

    vmid: int
    template: VolumeId
    options: dict[str, str]
    mounts: tuple[Mount, ...]
    access: Access
    pool: str | None
    start: bool


def check_create(core: Core, request: Request) -> CreateRequest:
    """Raise what Proxmox answers to a create that cannot be; otherwise what was asked."""
    caller, vmid = request.caller, request.vmid
    unprivileged = request.flag("unprivileged", default=True)
    if not unprivileged:
        caller.require("/", "Sys.Modify")
    if request.flag("ha-managed"):
        caller.require("/", "Sys.Console")
    require_free(core, vmid)
    keys = _ssh_keys(request.get("ssh-public-keys"))
    pool = request.get("pool")
    if pool is not None and pool not in core.store.state.pools:
        raise forbidden(f"pool '{pool}' does not exist")
    in_pool = pool is not None and caller.has(f"/pool/{pool}", "VM.Allocate")
    if not in_pool and not caller.has(f"/vms/{vmid}", "VM.Allocate"):
        raise forbidden()
    options = {
        key: value
        for key, value in request.params.items()
        if find(OPTIONS, key) is not None and key != "lock"
    }
    OptionRights(caller, vmid, pool, unprivileged=unprivileged).require({}, options)
    template = _template(core, request)
    mounts = _mounts(core, request, options)
    _check_values(core, options)
    _check_offered(core, request)
    return CreateRequest(
        vmid=vmid,
        template=template,
        options={key: value for key, value in options.items() if not is_volume_key(key)}
        | {"unprivileged": "1" if unprivileged else "0"},
        mounts=mounts,
        access=Access(request.get("password"), keys),
        pool=pool,
        start=request.flag("start"),
    )


def require_free(core: Core, vmid: int) -> None:
    """Raise Proxmox's 500 when any guest has the id."""
    taken = core.store.state.guests.get(vmid)
    if taken is not None:
        word = "CT" if taken.kind == "lxc" else "VM"
        raise died(f"{word} {vmid} already exists on node '{core.node}'")


def _ssh_keys(text: str | None) -> tuple[str, ...]:
    lines = [line.strip() for line in (text or "").splitlines()]
    keys = tuple(line for line in lines if line and not line.startswith("#"))
    for key in keys:
        try:
            asyncssh.import_authorized_keys(key)
        except (ValueError, asyncssh.KeyImportError):
            raise died("SSH public key validation error") from None
    return keys


def _template(core: Core, request: Request) -> VolumeId:
    volid = request["ostemplate"]
    if volid.startswith("/"):
        if not request.caller.is_root:
            raise died("Only root can pass arbitrary filesystem paths. at (lab) line 1.")
        raise died(f"the lab takes templates from its storages only, not from '{volid}'")
    storage, colon, _ = volid.partition(":")
    if not colon:
        raise died(f"unable to parse volume ID '{volid}'")
    core.storages.usable(storage)
    volume = core.storages.volume(volid)
    if not request.caller.has(f"/storage/{storage}", "Datastore.Allocate"):
        request.caller.require(
            f"/storage/{storage}", "Datastore.AllocateSpace", "Datastore.Audit", any_of=True
        )
    if volume.content != "vztmpl":
        raise died(f"unable to use volume {volid} - content type needs to be 'vztmpl'")
    return volume


def _mounts(core: Core, request: Request, options: dict[str, str]) -> tuple[Mount, ...]:
    given = {key: value for key, value in options.items() if is_volume_key(key)}
    if given and "rootfs" not in given:
        raise died("mount points configured, but 'rootfs' not set - aborting")
    if not given:
        given["rootfs"] = f"{request.get('storage', 'local')}:{_DEFAULT_DISK_GIB}"
    mounts = tuple(Mount.parse(key, given[key]) for key in sorted(given, key=_mount_order))
    for mount in mounts:
        require_disk_storage(core, request, mount)
        if mount.new_bytes is None:
            raise died(f"{mount.key}: the lab makes new volumes only, got '{mount.volume}'")
    return mounts


def _mount_order(key: str) -> int:
    return -1 if key == "rootfs" else int(key.removeprefix("mp"))


def require_disk_storage(core: Core, request: Request, mount: Mount) -> None:
    """Raise what Proxmox answers when a container's disk cannot be on that storage."""
    if mount.kind != "volume":
        raise died(f"{mount.key}: the lab has no {mount.kind} mounts, got '{mount.volume}'")
    storage = core.storages.usable(mount.storage)
    if "rootdir" not in storage.content:
        text = f"storage '{mount.storage}' does not support container directories"
        raise bad_parameters({"storage": text})
    request.caller.require(f"/storage/{mount.storage}", "Datastore.AllocateSpace")


def _check_values(core: Core, options: dict[str, str]) -> None:
    for key, value in options.items():
        if key.startswith("net"):
            check_mtu(core, key, value)
        elif key == "hookscript":
            raise died(f"script '{value}' does not exist")
        elif key.startswith("dev") and key[3:].isdigit():
            check_device(value)


def check_mtu(core: Core, key: str, value: str) -> None:
    """Raise a 500 for an MTU that the bridge cannot carry, or that no bridge could."""
    values = network(value)
    mtu, bridge = values.get("mtu"), values.get("bridge")
    if mtu is None or bridge is None:
        return
    if bridge not in core.world.proxmox.bridges:
        raise died(f"bridge '{bridge}' does not exist")
    if int(mtu) > _BRIDGE_MTU:
        raise died(f"{key}: MTU size '{mtu}' is bigger than bridge MTU '{_BRIDGE_MTU}'")


def check_device(value: str) -> None:
    """Raise a 500 unless the path is a device of this machine."""
    path = Path(device(value)["path"])
    if not path.exists():
        raise died(f"Device {path} does not exist")
    mode = path.stat().st_mode
    if not stat.S_ISCHR(mode) and not stat.S_ISBLK(mode):
        raise died(f"{path} is not a device")


def _check_offered(core: Core, request: Request) -> None:
    for name in ("restore", "ha-managed"):
        if request.flag(name):
            raise died(f"{name}: the lab does not offer it; leave it out")
    if core.guests is None:
        raise died(core.hooks.no_guests)
