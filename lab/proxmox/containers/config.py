"""A container's configuration: as the text of its file, and as an answer."""

import hashlib

from lab.proxmox.call import Values
from lab.proxmox.parameters.containers import INTEGERS
from lab.proxmox.schema import Param
from lab.proxmox.state import GuestRecord
from lab.proxmox.validate import find


def file_text(record: GuestRecord) -> str:
    """What Proxmox would keep in /etc/pve for the container."""
    lines = [f"#{line}" for line in record.config.get("description", "").splitlines()]
    lines += _section(record.config)
    if record.pending or record.pending_delete:
        lines += ["", "[pve:pending]"]
        if record.pending_delete:
            lines.append(f"delete: {','.join(record.pending_delete)}")
        lines += _section(record.pending, skip="")
    return "\n".join(lines) + "\n"


def _section(values: dict[str, str], skip: str = "description") -> list[str]:
    return [f"{key}: {values[key]}" for key in sorted(values) if key != skip]


def digest(record: GuestRecord) -> str:
    """Changes with every change of the configuration."""
    return hashlib.sha1(file_text(record).encode(), usedforsecurity=False).hexdigest()


def running_values(record: GuestRecord) -> Values:
    """The configuration that the container was started with."""
    return _answered(record.config)


def pending_values(record: GuestRecord) -> Values:
    """The configuration that the next start will use."""
    return _answered(merge_pending(record))


def _answered(values: dict[str, str]) -> Values:
    # A line without a value is none when Proxmox reads its file again.
    return {key: shown(key, value) for key, value in values.items() if value}


def merge_pending(record: GuestRecord) -> dict[str, str]:
    """The configuration's text with what is pending."""
    kept = {key: value for key, value in record.config.items() if key not in record.pending_delete}
    return {**kept, **record.pending}


def shown(key: str, value: str) -> int | str:
    """A value as JSON: whole numbers and booleans are numbers, all else is text."""
    if key in INTEGERS:
        return int(value)
    return f"{value.removesuffix(chr(10))}\n" if key == "description" else value


def is_option(table: dict[str, Param], key: str) -> bool:
    """Whether a container has such an option at all."""
    return find(table, key) is not None
