"""Which right each option of a container asks for, and what only root@pam may set."""

from collections.abc import Iterable, Mapping

from lab.proxmox.access.rights import Caller
from lab.proxmox.containers.values import Mount, features, is_volume_key, network
from lab.proxmox.errors import forbidden

_PLAIN = {
    "cores": "VM.Config.CPU",
    "cpulimit": "VM.Config.CPU",
    "cpuunits": "VM.Config.CPU",
    "memory": "VM.Config.Memory",
    "swap": "VM.Config.Memory",
    "hostname": "VM.Config.Network",
    "nameserver": "VM.Config.Network",
    "searchdomain": "VM.Config.Network",
}


class OptionRights:
    """The rights of one caller on the options of one container."""

    def __init__(self, caller: Caller, vmid: int, pool: str | None, *, unprivileged: bool) -> None:
        self._caller = caller
        self._vmid = vmid
        self._pool = pool
        self._unprivileged = unprivileged

    def require(
        self, old: Mapping[str, str], new: Mapping[str, str], deleted: Iterable[str] = ()
    ) -> None:
        """Raise the 403 of the first option in `new` or `deleted` that is not allowed."""
        if self._caller.is_root:
            return
        for key, value in new.items():
            self._require_one(key, value, old)
        for key in deleted:
            self._require_one(key, None, old)

    def _require_one(self, key: str, value: str | None, old: Mapping[str, str]) -> None:
        if key in _PLAIN:
            self._guest(_PLAIN[key])
        elif is_volume_key(key) or key.startswith("unused"):
            self._volume(key, value)
        elif key.startswith("net"):
            self._guest("VM.Config.Network")
            self._network(value)
        elif key.startswith("dev"):
            raise forbidden("configuring device passthrough is only allowed for root@pam")
        elif key == "features":
            self._features(features(old.get(key, "")), features(value or ""))
        elif key == "hookscript":
            raise forbidden("changing the hookscript is only allowed for root@pam")
        else:
            self._guest("VM.Config.Options")

    def _guest(self, privilege: str) -> None:
        self._caller.require_on_guest(self._vmid, self._pool, privilege)

    def _volume(self, key: str, value: str | None) -> None:
        self._guest("VM.Config.Disk")
        if value is None or key.startswith("unused"):
            return
        mount = Mount.parse(key, value)
        if mount.kind != "volume":
            raise forbidden(f"mount point type {mount.kind} is only allowed for root@pam")
        if mount.new_bytes is not None:
            self._caller.require(f"/storage/{mount.storage}", "Datastore.AllocateSpace")

    def _network(self, value: str | None) -> None:
        values = network(value) if value is not None else {}
        if bridge := values.get("bridge"):
            tag = f"/{values['tag']}" if "tag" in values else ""
            self._caller.require(f"/sdn/zones/localnetwork/{bridge}{tag}", "SDN.Use")

    def _features(self, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        if not self._unprivileged:
            raise forbidden(
                "changing feature flags for privileged container is only allowed for root@pam"
            )
        changed = {name for name in {*old, *new} if old.get(name, "") != new.get(name, "")}
        if changed - {"nesting"}:
            raise forbidden("changing feature flags (except nesting) is only allowed for root@pam")
        if changed:
            self._guest("VM.Allocate")
