"""Volumes of an update: new ones get a file, dropped ones stay as `unusedX`, those can go."""

from contextlib import suppress

from lab.guests import GuestError, Volume
from lab.proxmox.containers.create import require_space
from lab.proxmox.containers.spec import guest_spec
from lab.proxmox.containers.values import Mount, is_volume_key
from lab.proxmox.core import Core
from lab.proxmox.errors import TaskError, died
from lab.proxmox.state import GuestRecord

_EMPTY_FILE_SYSTEM_BYTES = 4 << 20


def _ignore(_: str) -> None:
    """An update has no task whose log could take the lines."""


class MountChanges:
    """Works on a copy of a record: what it allocates is real at once."""

    def __init__(self, core: Core, vmid: int, after: GuestRecord) -> None:
        self._core = core
        self._vmid = vmid
        self._after = after

    async def volume_for(self, key: str, text: str) -> str:
        """The value to keep for rootfs or mpX; makes the volume that it asks for."""
        mount = Mount.parse(key, text)
        current = self._after.config.get(key)
        if mount.new_bytes is None:
            return self._existing(mount, current)
        if key == "rootfs":
            raise died("rootfs: the lab does not exchange the root file system of a container")
        kept = await self._allocate(mount, mount.new_bytes)
        if current is not None:
            self.keep_unused(key)
        return kept

    def _existing(self, mount: Mount, current: str | None) -> str:
        known = {
            Mount.parse(key, value).volume: Mount.parse(key, value)
            for key, value in self._after.config.items()
            if is_volume_key(key)
        }
        if mount.volume in known and known[mount.volume].key == mount.key:
            return str(mount.with_volume(mount.volume, known[mount.volume].size))
        unused = {v: k for k, v in self._after.config.items() if k.startswith("unused")}
        volume = self._core.storages.volume(mount.volume)
        stored = self._core.storages.stored(volume)
        if mount.volume not in unused or stored is None or current is not None:
            raise died(f"{mount.key}: '{mount.volume}' is no unused volume of CT {self._vmid}")
        del self._after.config[unused[mount.volume]]
        return str(mount.with_volume(mount.volume, stored.size))

    async def _allocate(self, mount: Mount, size: int) -> str:
        core, vmid = self._core, self._vmid
        if core.guests is None:
            raise died(core.hooks.no_guests)
        try:
            require_space(core, mount.storage, _EMPTY_FILE_SYSTEM_BYTES)
        except TaskError as error:
            raise died(str(error)) from error
        values = [*self._after.config.values(), *self._after.pending.values()]
        taken = [value.partition(",")[0] for value in values]
        volume = core.storages.next_image(mount.storage, vmid, taken)
        spec = guest_spec(vmid, self._after.config, core.storages)
        made = Volume(
            volid=str(volume),
            image=core.storages.path(volume),
            size_bytes=size,
            mount_path=mount.path,
            read_only=mount.read_only,
        )
        try:
            await core.guests.add_volume(spec, made, _ignore)
        except GuestError as error:
            raise died(str(error)) from error
        return str(mount.with_volume(str(volume), size))

    def keep_unused(self, key: str) -> None:
        """What a dropped mpX leaves: its volume as `unusedX`; a dropped `unusedX` is deleted."""
        config = self._after.config
        if key not in config:
            return
        if key.startswith("unused"):
            volume = self._core.storages.volume(config[key])
            with suppress(FileNotFoundError):
                self._core.storages.path(volume).unlink()
        elif is_volume_key(key):
            index = next(n for n in range(256) if f"unused{n}" not in config)
            config[f"unused{index}"] = Mount.parse(key, config[key]).volume
