"""What a change does to a running container, in words. Pure.

The table is held to the real provider by tests/engine/program, which writes
docs/container-changes.md from what it saw.
"""

from enum import Enum

from infra.guard.described import Described


class Effect(Enum):
    """What the provider does when a setting changes."""

    IN_PLACE = "changed in place"
    REBOOT = "changed in place, with a reboot"
    REPLACE = "would replace the container: refused"
    DENIED = "refused by Proxmox for an API token"


EFFECTS: dict[str, Effect] = {
    "node": Effect.REPLACE,
    "vm_id": Effect.REPLACE,
    "address": Effect.REBOOT,
    "gateway": Effect.REBOOT,
    "bridge": Effect.REBOOT,
    "vlan": Effect.REBOOT,
    "cores": Effect.IN_PLACE,
    "memory": Effect.REBOOT,
    "swap": Effect.REBOOT,
    "disk": Effect.IN_PLACE,
    "storage": Effect.REPLACE,
    "template": Effect.REPLACE,
    "system": Effect.REPLACE,
    "unprivileged": Effect.REPLACE,
    "nesting": Effect.DENIED,
    "onboot": Effect.IN_PLACE,
    "start_order": Effect.IN_PLACE,
    "tags": Effect.IN_PLACE,
    "pool": Effect.REPLACE,
    "hostname": Effect.REBOOT,
    "nameservers": Effect.REBOOT,
    "keys": Effect.REPLACE,
    "root_password": Effect.REPLACE,
}


def changes(old: Described, new: Described) -> list[str]:
    """The settings that differ."""
    return [name for name in EFFECTS if old.get(name) != new.get(name)]


def in_words(names: list[str], old: Described, new: Described) -> str:
    """`memory 2048 -> 4096, swap 512 -> 0`."""
    return ", ".join(_change(name, old.get(name), new.get(name)) for name in names)


def impact(host: str, old: Described, new: Described) -> str | None:
    """One line about an update of a container; None when nothing of it is a person's business."""
    changed = changes(old, new)
    if not changed:
        return None
    vm_id = new.get("vm_id")
    what = in_words(changed, old, new)
    if any(EFFECTS[name] is Effect.REBOOT for name in changed):
        return f"{host}: reboots container {vm_id} ({what})"
    return f"{host}: changes container {vm_id} in place ({what})"


def causes(old: Described, new: Described) -> list[str]:
    """Which changed settings replace a container.

    A disk that shrinks does, one that grows does not. Where none of the changed settings is
    known to, every one of them is named: the engine decided, not this table.
    """
    changed = changes(old, new)
    known = [name for name in changed if EFFECTS[name] is Effect.REPLACE]
    if "disk" in changed and _shrinks(old.get("disk"), new.get("disk")):
        known.append("disk")
    return known or changed


def _shrinks(old: object, new: object) -> bool:
    return isinstance(old, int) and isinstance(new, int) and new < old


def _change(name: str, old: object, new: object) -> str:
    if name == "root_password":
        return "root_password"
    if name == "keys":
        return "the SSH keys, which cannot be rotated in place yet"
    return f"{name} {_shown(old)} -> {_shown(new)}"


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
