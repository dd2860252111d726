"""Property values as they travel between the engine and a provider.

The SDK's own `PropertyValue` forgets the hash of an asset and writes no unknown value; both decide
what a diff and a preview say, so the doubles read and write the protocol's structures themselves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import rpc

UNKNOWN_TEXT = rpc.UNKNOWN
_KIND = rpc._special_sig_key  # noqa: SLF001 - the protocol's own constants, exported nowhere else
_SECRET = rpc._special_secret_sig  # noqa: SLF001
_OUTPUT = rpc._special_output_value_sig  # noqa: SLF001
_ASSET = rpc._special_asset_sig  # noqa: SLF001
_ARCHIVE = rpc._special_archive_sig  # noqa: SLF001
_UNKNOWN_TEXTS = frozenset(
    {
        UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # an array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)


@dataclass(frozen=True)
class Unknown:
    """A value that is not known before the real run."""


@dataclass(frozen=True)
class Secret:
    """A value that the state encrypts."""

    value: "Value"


@dataclass(frozen=True)
class Asset:
    """A file or a text (`text`, `path` or `uri`), known by its hash once it has one."""

    hash: str = ""
    path: str = ""
    text: str = ""
    uri: str = ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Asset):
            return NotImplemented
        if self.hash and other.hash:
            return self.hash == other.hash
        return (self.path, self.text, self.uri) == (other.path, other.text, other.uri)

    def __hash__(self) -> int:
        return hash(Asset)


@dataclass(frozen=True)
class Archive:
    """A directory or an archive file, known by its hash once it has one."""

    hash: str = ""
    path: str = ""
    uri: str = ""
    assets: Mapping[str, "Value"] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Archive):
            return NotImplemented
        if self.hash and other.hash:
            return self.hash == other.hash
        return (self.path, self.uri, self.assets) == (other.path, other.uri, other.assets)

    def __hash__(self) -> int:
        return hash(Archive)


# Every number is a float, as the protocol has it.
Value: TypeAlias = (
    "bool | float | str | list[Value] | dict[str, Value] | Unknown | Secret | Asset | Archive"
    " | None"
)
Properties: TypeAlias = dict[str, Value]

UNKNOWN = Unknown()


def read(struct: struct_pb2.Struct) -> Properties:
    """The properties in `struct`, without those that are null."""
    return dict(_present(struct.fields))


def write(properties: Mapping[str, Value]) -> struct_pb2.Struct:
    """The structure that carries `properties`; null ones are left out."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        if value is not None:
            struct.fields[key].CopyFrom(_write(value))
    return struct


def plain(value: Value) -> Value:
    """`value` without its secret wrappers, at every depth."""
    match value:
        case Secret(value=inner):
            return plain(inner)
        case list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case _:
            return value


def has_unknown(value: Value) -> bool:
    """Whether any part of `value` is unknown."""
    match value:
        case Unknown():
            return True
        case Secret(value=inner):
            return has_unknown(inner)
        case list():
            return any(has_unknown(item) for item in value)
        case dict():
            return any(has_unknown(item) for item in value.values())
        case _:
            return False


def _present(fields: Mapping[str, struct_pb2.Value]) -> Iterator[tuple[str, Value]]:
    for key, raw in fields.items():
        value = _read(raw)
        if value is not None:
            yield key, value


def _read(raw: struct_pb2.Value) -> Value:
    value: Value = None
    match raw.WhichOneof("kind"):
        case "bool_value":
            value = raw.bool_value
        case "number_value":
            value = raw.number_value
        case "string_value":
            value = UNKNOWN if raw.string_value in _UNKNOWN_TEXTS else raw.string_value
        case "list_value":
            value = [_read(item) for item in raw.list_value.values]
        case "struct_value":
            value = _read_struct(raw.struct_value)
    return value


def _read_struct(struct: struct_pb2.Struct) -> Value:
    fields = struct.fields
    match fields[_KIND].string_value if _KIND in fields else None:
        case kind if kind == _SECRET:
            return Secret(_read(fields["value"]))
        case kind if kind == _OUTPUT:
            value = _read(fields["value"]) if "value" in fields else UNKNOWN
            secret = "secret" in fields and fields["secret"].bool_value
            return Secret(value) if secret else value
        case kind if kind == _ASSET:
            texts = {
                k: fields[k].string_value for k in ("hash", "path", "text", "uri") if k in fields
            }
            return Asset(**texts)
        case kind if kind == _ARCHIVE:
            assets = fields["assets"].struct_value.fields if "assets" in fields else {}
            texts = _texts(fields, "hash", "path", "uri")
            return Archive(**texts, assets=dict(_present(assets)))
        case _:
            return dict(_present(fields))


def _texts(fields: Mapping[str, struct_pb2.Value], *names: str) -> dict[str, str]:
    return {name: fields[name].string_value for name in names if name in fields}


def _write(value: Value) -> struct_pb2.Value:
    written = struct_pb2.Value()
    match value:
        case None:
            written.null_value = struct_pb2.NULL_VALUE
        case bool():
            written.bool_value = value
        case float():
            written.number_value = value
        case str():
            written.string_value = value
        case Unknown():
            written.string_value = UNKNOWN_TEXT
        case list():
            written.list_value.values.extend(_write(item) for item in value)
            written.list_value.SetInParent()
        case _:
            written.struct_value.CopyFrom(write(_as_object(value)))
    return written


def _as_object(value: "dict[str, Value] | Secret | Asset | Archive") -> Mapping[str, Value]:
    match value:
        case Secret(value=Unknown()):
            return {_KIND: _OUTPUT, "secret": True}
        case Secret(value=inner):
            return {_KIND: _SECRET, "value": inner}
        case Asset():
            return {
                _KIND: _ASSET,
                "hash": value.hash,
                "path": value.path,
                "text": value.text,
                "uri": value.uri,
            }
        case Archive():
            return {
                _KIND: _ARCHIVE,
                "hash": value.hash,
                "path": value.path,
                "uri": value.uri,
                "assets": dict(value.assets),
            }
        case _:
            return value
