"""Property strings (`name=eth0,bridge=vmbr0`): read by a table, written in Proxmox's order."""

from collections.abc import Mapping

from lab.proxmox.formats import FormatError
from lab.proxmox.schema import Param

_TRUE = frozenset(("1", "on", "yes", "true"))
_FALSE = frozenset(("0", "off", "no", "false"))


def split(table: Mapping[str, Param], text: str) -> dict[str, str]:
    """Keys and raw values; raises FormatError for a text that has no such form."""
    default = next((name for name, param in table.items() if param.default_key), None)
    found: dict[str, str] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        key, equals, value = part.partition("=")
        if not equals:
            if default is None:
                raise FormatError("value without key, but schema does not define a default key")
            key, value = default, part
        elif not key or not value:
            raise FormatError("missing key in comma-separated list property")
        if key in found:
            raise FormatError(f"duplicate key in comma-separated list property: {key}")
        if key in table and table[key].kind == "boolean":
            value = _boolean(value)
        found[key] = value
    return found


def _boolean(value: str) -> str:
    word = value.lower()
    return "1" if word in _TRUE else "0" if word in _FALSE else value


def join(values: Mapping[str, str], *, first: str, bare: bool = False) -> str:
    """The text with `first` in front (without its name when `bare`) and the rest sorted."""
    parts = []
    if first in values:
        parts.append(values[first] if bare else f"{first}={values[first]}")
    parts += [f"{key}={values[key]}" for key in sorted(values) if key != first]
    return ",".join(parts)
