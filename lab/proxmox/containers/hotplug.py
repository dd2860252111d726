"""Options that a running container takes at once."""

from collections.abc import Mapping

from lab.guests import GuestError
from lab.proxmox.containers.mounts import MountChanges
from lab.proxmox.containers.spec import guest_spec, require_bridges
from lab.proxmox.containers.values import is_volume_key, kept
from lab.proxmox.core import Core
from lab.proxmox.errors import ApiError, bad_parameters
from lab.proxmox.state import GuestRecord

_WRITTEN = frozenset(
    (
        "cores",
        "description",
        "hookscript",
        "hostname",
        "lock",
        "onboot",
        "protection",
        "startup",
        "tags",
    )
)
_LIVE = frozenset(("cpulimit", "cpuunits", "memory", "swap"))
_SEEN_BY_GUEST = _LIVE | {"cores"}


def _is_network(key: str) -> bool:
    return key.startswith("net") and key[3:].isdigit()


def _is_device(key: str) -> bool:
    return key.startswith("dev") and key[3:].isdigit()


def is_hot(key: str, config: Mapping[str, str]) -> bool:
    """Whether a new value of `key` is applied at once."""
    is_new = key not in config and (is_volume_key(key) or _is_device(key))
    return key in _WRITTEN or key in _LIVE or _is_network(key) or is_new


def is_hot_delete(key: str) -> bool:
    """Whether dropping `key` is applied at once."""
    return key in _WRITTEN or key in {"swap", "cpulimit", "cpuunits"} or _is_network(key)


class RunningChanges:
    """An update of a running container, on the copy of its record."""

    def __init__(self, core: Core, vmid: int, after: GuestRecord, mounts: MountChanges) -> None:
        self._after = after
        self._mounts = mounts
        self._hot = _HotChanges(core, vmid, after)

    def revert(self, keys: list[str]) -> None:
        """Forget what is pending for these options."""
        for key in keys:
            self._after.pending.pop(key, None)
            self._keep(key)

    async def delete(self, keys: list[str]) -> None:
        """Drop options, now or at the next start."""
        for key in keys:
            self._after.pending.pop(key, None)
            if key not in self._after.config:
                continue
            if key.startswith("unused"):
                self._mounts.delete_unused(key)
            elif is_hot_delete(key):
                await self._hot.apply(key, None)
            elif key not in self._after.pending_delete:
                self._after.pending_delete.append(key)

    async def set(self, values: Mapping[str, str]) -> None:
        """Set options, now or at the next start."""
        after = self._after
        for key, value in values.items():
            self._keep(key)
            is_volume = is_volume_key(key)
            text = await self._mounts.volume_for(key, value) if is_volume else kept(key, value)
            if is_hot(key, after.config):
                after.pending.pop(key, None)
                await self._hot.apply(key, text)
            elif after.config.get(key) == text:
                after.pending.pop(key, None)
            else:
                after.pending[key] = text

    def _keep(self, key: str) -> None:
        if key in self._after.pending_delete:
            self._after.pending_delete.remove(key)


class _HotChanges:
    """Applies one option after the other; the first that fails takes all others back."""

    def __init__(self, core: Core, vmid: int, after: GuestRecord) -> None:
        self._core = core
        self._vmid = vmid
        self._after = after
        self._before = dict(after.config)
        self._live = dict(after.config)

    async def apply(self, key: str, value: str | None) -> None:
        """Set or drop an option, in the container too; a 400 that names it when that fails."""
        if value is None:
            self._after.config.pop(key, None)
        else:
            self._after.config[key] = value
        seen = _is_network(key) or is_volume_key(key) or _is_device(key)
        if key not in _SEEN_BY_GUEST and not seen:
            return
        try:
            if _is_network(key) and value is not None:
                require_bridges({key: value}, self._core.world.proxmox.bridges)
            await self._bring(self._after.config)
        except (ApiError, GuestError) as error:
            text = error.message if isinstance(error, ApiError) else str(error)
            text += await self._take_back()
            verb = f"apply pending change {key} :" if is_volume_key(key) else f"hotplug {key}:"
            raise bad_parameters({key: f"unable to {verb} {text}"}) from error

    async def _take_back(self) -> str:
        if self._live == self._before:
            return ""
        try:
            await self._bring(self._before)
        except GuestError as error:
            return f"; earlier changes could not be taken back: {error}"
        return ""

    async def _bring(self, new: Mapping[str, str]) -> None:
        assert self._core.guests is not None
        storages = self._core.storages
        await self._core.guests.apply(
            guest_spec(self._vmid, self._live, storages), guest_spec(self._vmid, new, storages)
        )
        self._live = dict(new)
