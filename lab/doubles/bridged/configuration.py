"""A provider's configuration: its form on the wire, and the words for its faults. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2  # type: ignore[import-untyped]

from lab.doubles import values
from lab.doubles.bridged.attributes import Attribute, Kind
from lab.doubles.bridged.check import Fault
from lab.doubles.values import Properties, Secret, Value, plain

_THE_ENGINES = {"version", "pluginDownloadURL"}


@dataclass(frozen=True)
class ConfigPlace:
    """Where a configuration stands: in a provider of the program's, or in the stack's own."""

    package: str
    urn: str

    def told(self, fault: Fault) -> str:
        """The reason for a failure."""
        text = f"could not validate provider configuration: {fault.text}"
        if self._is_default:
            return f"{text}. Check `pulumi config get {self.package}:{fault.place}`."
        return f"{text}. Examine values at '{self._name}.{fault.place}'."

    def unknown(self, key: str) -> str:
        """The reason for a key that nobody knows."""
        if self._is_default:
            return (
                f"`{self.package}:{key}` is not a valid configuration key for the {self.package} "
                "provider. If the referenced key is not intended for the provider, please choose "
                f"a different namespace from `{self.package}:`."
            )
        return self.told(Fault(key, "Invalid or unknown key"))

    @property
    def _name(self) -> str:
        return self.urn.rpartition("::")[2]

    @property
    def _is_default(self) -> bool:
        return self._name.startswith("default")


def unknown_keys(config: Iterable[Attribute], said: Properties) -> list[str]:
    """Keys that are none of the configuration's, nor the engine's."""
    known = {attribute.key for attribute in config} | _THE_ENGINES
    return sorted(key for key in said.keys() - known if not key.startswith("__"))


def readable(config: Iterable[Attribute], said: Properties) -> Properties:
    """`said` with values in place of the JSON that the engine sends for all but texts."""
    read = dict(said)
    for attribute in config:
        value = plain(read.get(attribute.key))
        if attribute.type is not Kind.STRING and isinstance(value, str) and value:
            read[attribute.key] = _from_text(value)
    return read


def as_text(value: Value) -> Value:
    """`value` as the engine keeps it: JSON in a text for all but texts."""
    match value:
        case Secret(value=inner):
            return Secret(as_text(inner))
        case list() | dict() | bool() | float():
            return json.dumps(plain(value), separators=(",", ":"))
        case _:
            return value


def _from_text(text: str) -> Value:
    try:
        return values.read(_struct(json.loads(text)))["value"]
    except (ValueError, KeyError):
        return text


def _struct(value: Any) -> struct_pb2.Struct:  # noqa: ANN401 - any JSON
    struct = struct_pb2.Struct()
    struct.update({"value": value})
    return struct
