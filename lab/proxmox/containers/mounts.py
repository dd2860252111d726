"""Volumes of an update: new ones get a file at once, deleted ones lose theirs when it is done."""

from contextlib import suppress
from pathlib import Path

from lab.guests import GuestError, Volume
from lab.proxmox.containers.create import require_space
from lab.proxmox.containers.spec import guest_spec
from lab.proxmox.containers.values import Mount
from lab.proxmox.core import Core
from lab.proxmox.errors import TaskError, died
from lab.proxmox.state import GuestRecord

_EMPTY_FILE_SYSTEM_BYTES = 4 << 20


def _ignore(_: str) -> None:
    """An update has no task whose log could take the lines."""


class MountChanges:
    """Works on the copy of a record that an update changes."""

    def __init__(self, core: Core, vmid: int, after: GuestRecord) -> None:
        self._core = core
        self._vmid = vmid
        self._after = after
        self._made: list[Path] = []
        self._deleted: list[Path] = []

    def done(self) -> None:
        """The update was kept: files of deleted volumes go."""
        _unlink(self._deleted)

    def undo(self) -> None:
        """The update failed: files of new volumes go."""
        _unlink(self._made)

    def delete_unused(self, key: str) -> None:
        """Drop an `unusedX` with its volume."""
        volume = self._core.storages.volume(self._after.config.pop(key))
        self._deleted.append(self._core.storages.path(volume))

    async def volume_for(self, key: str, text: str) -> str:
        """The value to keep for rootfs or mpX; makes the volume that it asks for."""
        mount = Mount.parse(key, text)
        if mount.new_bytes is None:
            return self._existing(mount)
        if key == "rootfs":
            raise died("rootfs: the lab does not exchange the root file system of a container")
        return await self._allocate(mount, mount.new_bytes)

    def _existing(self, mount: Mount) -> str:
        config = self._after.config
        if mount.key in config:
            current = Mount.parse(mount.key, config[mount.key])
            if current.volume == mount.volume:
                return str(mount.with_volume(mount.volume, current.size))
        unused = next((key for key, text in config.items() if text == mount.volume), None)
        stored = self._core.storages.stored(self._core.storages.volume(mount.volume))
        if unused is None or stored is None or mount.key == "rootfs":
            raise died(f"{mount.key}: '{mount.volume}' is no unused volume of CT {self._vmid}")
        del config[unused]
        return str(mount.with_volume(mount.volume, stored.size))

    async def _allocate(self, mount: Mount, size: int) -> str:
        core = self._core
        if core.guests is None:
            raise died(core.hooks.no_guests)
        values = [*self._after.config.values(), *self._after.pending.values()]
        taken = [value.partition(",")[0] for value in values]
        volume = core.storages.next_image(mount.storage, self._vmid, taken)
        made = Volume(
            volid=str(volume),
            image=core.storages.path(volume),
            size_bytes=size,
            mount_path=mount.path,
            read_only=mount.read_only,
        )
        self._made.append(made.image)
        try:
            require_space(core, mount.storage, _EMPTY_FILE_SYSTEM_BYTES)
            spec = guest_spec(self._vmid, self._after.config, core.storages)
            await core.guests.add_volume(spec, made, _ignore)
        except (GuestError, TaskError) as error:
            raise died(str(error)) from error
        return str(mount.with_volume(str(volume), size))


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            path.unlink()
