"""Holds the values of a call to its parameter table, with Proxmox's texts, all faults at once."""

import re
from collections.abc import Mapping

from lab.proxmox import property_string
from lab.proxmox.formats import FormatError, check_format
from lab.proxmox.schema import Param

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"
NUMBERED = {"net": 32, "mp": 256, "dev": 256, "unused": 256}
SEVERAL = "ARRAY(0x"
"""What stands for several values where one is allowed."""
_INTEGER = re.compile(r"[+-]?\d+\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)\Z", re.ASCII)
_INDEXED = re.compile(r"([a-z]+)(0|[1-9]\d*)\Z")


def find(table: Mapping[str, Param], name: str) -> Param | None:
    """The parameter called `name`; `net0` is found under `net[n]`."""
    if name in table:
        return table[name]
    match = _INDEXED.match(name)
    if match and int(match[2]) < NUMBERED.get(match[1], 0):
        return table.get(f"{match[1]}[n]")
    return None


def check(
    table: Mapping[str, Param], values: Mapping[str, str], prefix: str = ""
) -> dict[str, str]:
    """The text of each fault by parameter name; empty when all is well."""
    faults: dict[str, str] = {}
    for name, value in values.items():
        param = find(table, name)
        if param is None:
            faults[prefix + name] = UNKNOWN
            continue
        if (fault := check_value(param, prefix + name, value)) is not None:
            faults[prefix + name] = fault
        if param.requires is not None and param.requires not in values:
            faults.setdefault(prefix + param.requires, f"missing property required by '{name}'")
    for name, param in table.items():
        if not param.optional and not name.endswith("[n]") and name not in values:
            faults.setdefault(prefix + name, MISSING)
    return faults


def check_value(param: Param, path: str, value: str) -> str | None:
    """The text of the first fault of one value."""
    return (
        _type_fault(param, value)
        or _format_fault(param, path, value)
        or _text_fault(param, value)
        or _range_fault(param, value)
        or _choice_fault(param, value)
    )


def _type_fault(param: Param, value: str) -> str | None:
    good = {
        "string": not value.startswith(SEVERAL),
        "integer": bool(_INTEGER.match(value)),
        "number": bool(_NUMBER.match(value)),
        "boolean": value in {"0", "1"},
    }[param.kind]
    return None if good else f"type check ('{param.kind}') failed - got '{value}'"


def _format_fault(param: Param, path: str, value: str) -> str | None:
    if param.format is None:
        return None
    try:
        if isinstance(param.format, str):
            check_format(param.format, value)
            return None
        inner = check(param.format, property_string.split(param.format, value), f"{path}.")
    except FormatError as error:
        return f"invalid format - {error}\n"
    if not inner:
        return None
    lines = "".join(f"{key}: {text.rstrip()}\n" for key, text in sorted(inner.items()))
    return f"invalid format - format error\n{lines}"


def _text_fault(param: Param, value: str) -> str | None:
    if param.pattern is not None and not re.fullmatch(param.pattern, value, re.ASCII):
        return "value does not match the regex pattern"
    if param.max_length is not None and len(value) > param.max_length:
        return f"value may only be {param.max_length} characters long"
    if param.min_length is not None and len(value) < param.min_length:
        return f"value must be at least {param.min_length} characters long"
    return None


def _range_fault(param: Param, value: str) -> str | None:
    if param.kind not in {"integer", "number"}:
        return None
    if param.maximum is not None and float(value) > param.maximum:
        return f"value must have a maximum value of {_plain(param.maximum)}"
    if param.minimum is not None and float(value) < param.minimum:
        return f"value must have a minimum value of {_plain(param.minimum)}"
    return None


def _plain(limit: float) -> str:
    return str(int(limit)) if float(limit).is_integer() else str(limit)


def _choice_fault(param: Param, value: str) -> str | None:
    if param.choices is None or value in param.choices:
        return None
    return f"value '{value}' does not have a value in the enumeration '{', '.join(param.choices)}'"
