"""What happens to a configuration when its pending part becomes real. Pure."""

from lab.proxmox.containers.config import merge_pending
from lab.proxmox.containers.values import Mount, is_volume_key
from lab.proxmox.state import GuestRecord

_UNUSED_KEYS = 256


def apply_pending(record: GuestRecord) -> bool:
    """Make what is pending the configuration; says whether there was anything."""
    if not record.pending and not record.pending_delete:
        return False
    before, after = record.config, merge_pending(record)
    for key, text in before.items():
        if is_volume_key(key):
            leave_unused(after, Mount.parse(key, text).volume)
    record.config, record.pending, record.pending_delete = after, {}, []
    return True


def leave_unused(config: dict[str, str], volume: str) -> None:
    """Keep a volume as `unusedX` when nothing in the configuration names it any more."""
    named = {
        Mount.parse(key, text).volume if is_volume_key(key) else text
        for key, text in config.items()
        if is_volume_key(key) or key.startswith("unused")
    }
    if volume not in named:
        free = next(n for n in range(_UNUSED_KEYS) if f"unused{n}" not in config)
        config[f"unused{free}"] = volume
