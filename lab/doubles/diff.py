"""What changed between two sets of properties, in the form that a provider's Diff answers.

Pure. The rules are those of providers made with Pulumi's Go framework: objects and lists are
compared part by part, a secret as a whole, an unknown value differs from everything known.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from lab.doubles.values import Properties, Value

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")


class Kind(Enum):
    """How a property changed; the numbers are the protocol's."""

    ADD = 0
    ADD_REPLACE = 1
    DELETE = 2
    DELETE_REPLACE = 3
    UPDATE = 4
    UPDATE_REPLACE = 5

    def as_replace(self) -> "Kind":
        """The same change, where it costs a replacement."""
        return Kind(self.value | 1)


@dataclass(frozen=True)
class Change:
    """One changed property: its path as Pulumi writes it, and the property it belongs to."""

    path: str
    top: str
    kind: Kind


def changes(old: Properties, new: Properties) -> list[Change]:
    """Every changed path, in the order of the properties' names."""
    return [
        Change(path, top, kind)
        for top in sorted(old.keys() | new.keys())
        for path, kind in _compare(top, old.get(top), new.get(top))
    ]


def _compare(path: str, old: Value, new: Value) -> Iterator[tuple[str, Kind]]:
    if old is None and new is None:
        return
    if old is None:
        yield path, Kind.ADD
    elif new is None:
        yield path, Kind.DELETE
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _compare_objects(path, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(path, old, new)
    elif type(old) is not type(new) or old != new:
        yield path, Kind.UPDATE


def _compare_objects(
    path: str, old: Mapping[str, Value], new: Mapping[str, Value]
) -> Iterator[tuple[str, Kind]]:
    for key in sorted(old.keys() | new.keys()):
        part = f".{key}" if _PLAIN_KEY.match(key) else f"[{json.dumps(key)}]"
        yield from _compare(path + part, old.get(key), new.get(key))


def _compare_lists(path: str, old: list[Value], new: list[Value]) -> Iterator[tuple[str, Kind]]:
    for index in range(max(len(old), len(new))):
        part = f"{path}[{index}]"
        if index >= len(old):
            yield part, Kind.ADD
        elif index >= len(new):
            yield part, Kind.DELETE
        else:
            yield from _compare(part, old[index], new[index])
