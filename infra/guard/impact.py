"""What a change does to a running container, in words. Pure.

The table is held to the real provider by tests/engine/program, which writes
docs/container-changes.md from what it saw.
"""

from collections.abc import Callable
from enum import Enum

from infra.guard.described import Described


class Effect(Enum):
    """What the provider does when a setting changes."""

    IN_PLACE = "changed in place"
    REBOOT = "changed in place, with a reboot"
    REPLACE = "would replace the container: refused"
    STEP = "changed in place, by a step over SSH"
    ROOT_ONLY = "refused, but for root@pam with a password; takes effect at the next start"


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
    "system": Effect.REBOOT,
    "unprivileged": Effect.REPLACE,
    "nesting": Effect.ROOT_ONLY,
    "onboot": Effect.IN_PLACE,
    "start_order": Effect.IN_PLACE,
    "tags": Effect.IN_PLACE,
    "pool": Effect.REPLACE,
    "hostname": Effect.REBOOT,
    "nameservers": Effect.REBOOT,
    "keys": Effect.STEP,
    "root_password": Effect.STEP,
}


def changes(old: Described, new: Described) -> list[str]:
    """The settings that differ."""
    return [name for name in EFFECTS if old.get(name) != new.get(name)]


def as_it_was_read(seen: Described, new: Described) -> Described:
    """What the provider last read, but for what it cannot read and what both leave open."""
    return {
        name: new.get(name)
        if effect is Effect.STEP or not (seen.get(name) or new.get(name))
        else seen.get(name)
        for name, effect in EFFECTS.items()
    }


def in_words(names: list[str], old: Described, new: Described) -> str:
    """`memory 2048 -> 4096, swap 512 -> 0`."""
    return ", ".join(_change(name, old.get(name), new.get(name)) for name in names)


def impact(host: str, old: Described, new: Described) -> list[str]:
    """Lines about an update of a container: what reboots or starts it, then what does not."""
    changed = changes(old, new)
    reboots = [name for name in changed if EFFECTS[name] is Effect.REBOOT]
    others = [name for name in changed if name not in reboots]
    container = f"container {new.get('vm_id')}"
    lines = []
    if old.get("started") is False:
        why = f" ({in_words(reboots, old, new)})" if reboots else ""
        lines.append(f"{host}: starts {container}{why}, which somebody stopped")
    elif reboots:
        lines.append(f"{host}: reboots {container} ({in_words(reboots, old, new)})")
    if others:
        lines.append(f"{host}: changes {container} in place ({in_words(others, old, new)})")
    return lines


def causes(old: Described, new: Described) -> list[str]:
    """Which changed settings replace a container; a disk that shrinks does, too.

    Empty where none of them is known to: then the engine has a reason of its own.
    """
    known = [name for name in changes(old, new) if EFFECTS[name] is Effect.REPLACE]
    return [*known, "disk"] if shrinks(old, new) else known


def shrinks(old: Described, new: Described) -> bool:
    """Whether the disk would have to shrink, which Proxmox cannot do."""
    return _sizes(old, new, lambda before, after: after < before)


def only_steps(old: Described, new: Described) -> bool:
    """Whether nothing differs but what a step changes in a container that stays."""
    changed = changes(old, new)
    return bool(changed) and all(EFFECTS[name] is Effect.STEP for name in changed)


def grows(old: Described, new: Described) -> bool:
    """Whether the disk grows, which needs no replacement."""
    return _sizes(old, new, lambda before, after: after > before)


def _sizes(old: Described, new: Described, test: Callable[[int, int], bool]) -> bool:
    before, after = old.get("disk"), new.get("disk")
    return isinstance(before, int) and isinstance(after, int) and test(before, after)


def _change(name: str, old: object, new: object) -> str:
    if name == "root_password":
        return "root_password"
    if name == "keys":
        return "the SSH keys"
    return f"{name} {_shown(old)} -> {_shown(new)}"


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
