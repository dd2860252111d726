"""What a resource accepts: types, required fields, defaults, secrets; and the check against it.

Pure. The texts of the failures are those of providers made with Pulumi's Go framework.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from lab.doubles.values import Archive, Asset, Properties, Secret, Unknown, Value, plain


class Scalar(Enum):
    """The types that are no objects; the values are the names that failures use."""

    STRING = "string"
    NUMBER = "float64"
    INTEGER = "int"
    BOOL = "bool"
    LIST = "[]interface {}"
    STRINGS = "map[string]string"
    SOURCE = "types.AssetOrArchive"
    LOGGING = "remote.Logging"


@dataclass(frozen=True)
class Field:
    """One property: its type and what the schema says of it."""

    type: "Scalar | Shape"
    required: bool = False
    secret: bool = False
    replaces: bool = False
    default: bool | float | str | None = None


@dataclass(frozen=True)
class Shape:
    """An object type; `name` is the one that failures use, `package.Type`."""

    name: str
    fields: Mapping[str, Field]

    @property
    def short_name(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Failure:
    """A property that was refused, and why."""

    property: str
    reason: str


def failures(shape: Shape, properties: Mapping[str, Value]) -> list[Failure]:
    """Everything about `properties` that does not fit `shape`."""
    found: list[Failure] = []
    for key, field in shape.fields.items():
        value = plain(properties.get(key))
        if value is not None:
            found.extend(_refuse(field.type, value, shape, key))
        elif field.required:
            found.append(Failure(key, f"Missing required field '{key}' on '{shape.name}'"))
    found.extend(
        Failure(key, f"Unrecognized field '{key}' on '{shape.name}'")
        for key in sorted(properties.keys() - shape.fields.keys())
    )
    return found


def summary(found: list[Failure]) -> str:
    """All failures in one text, as an error of an operation shows them."""
    lines = "".join(f"\n\t{failure.property}: {failure.reason}" for failure in found)
    return f"{len(found)} failures decoding:{lines}"


def with_defaults(shape: Shape, properties: Mapping[str, Value]) -> Properties:
    """`properties` with the defaults of `shape` and of the objects in it; whole numbers cut."""
    filled = dict(properties)
    for key, field in shape.fields.items():
        value = filled.get(key)
        if value is None:
            if field.default is not None:
                filled[key] = field.default
        else:
            filled[key] = _fill(field.type, value)
    return filled


def with_secrets(shape: Shape, properties: Mapping[str, Value]) -> Properties:
    """`properties` with everything wrapped that `shape` calls secret."""
    wrapped = dict(properties)
    for key, field in shape.fields.items():
        value = wrapped.get(key)
        if value is None:
            continue
        inner = value.value if isinstance(value, Secret) else value
        if isinstance(field.type, Shape) and isinstance(inner, dict):
            inner = with_secrets(field.type, inner)
        wrapped[key] = Secret(inner) if field.secret or isinstance(value, Secret) else inner
    return wrapped


def _fill(kind: "Scalar | Shape", value: Value) -> Value:
    if isinstance(value, Secret):
        return Secret(_fill(kind, value.value))
    if isinstance(kind, Shape) and isinstance(value, dict):
        return with_defaults(kind, value)
    if kind is Scalar.INTEGER and isinstance(value, float):
        return float(int(value))
    return value


def _refuse(kind: "Scalar | Shape", value: Value, owner: Shape, key: str) -> Iterator[Failure]:
    match kind, value:
        case (_, Unknown()) | (Scalar.SOURCE, _):
            return
        case Shape(), dict():
            found = failures(kind, value)
            if found:
                yield _nested(owner, key, summary(found))
        case Scalar.STRINGS, dict():
            for name, entry in value.items():
                yield from _refuse(Scalar.STRING, entry, owner, f"{key}[{name}] value")
        case _, dict():
            wanted = _type_name(kind)
            yield _nested(
                owner,
                key,
                f"Cannot decode Object{{}} to type {wanted}; "
                "it isn't a struct, and no custom decoder exists",
            )
        case _ if not _fits(kind, value):
            yield Failure(
                key,
                f"Field '{key}' on '{owner.name}' must be a '{_type_name(kind)}'; "
                f"got '{_value_name(value)}' instead",
            )


def _nested(owner: Shape, key: str, reason: str) -> Failure:
    return Failure(key, f"An error occurred decoding '{owner.short_name}.{key}': {reason}")


def _fits(kind: "Scalar | Shape", value: Value) -> bool:
    match kind:
        case Scalar.STRING | Scalar.LOGGING:
            return isinstance(value, str)
        case Scalar.NUMBER | Scalar.INTEGER:
            return isinstance(value, float)
        case Scalar.BOOL:
            return isinstance(value, bool)
        case Scalar.LIST:
            return isinstance(value, list)
        case _:
            return False


def _type_name(kind: "Scalar | Shape") -> str:
    return kind.name if isinstance(kind, Shape) else kind.value


_GO_NAMES: Mapping[type, str] = {
    bool: "bool",
    float: "float64",
    str: "string",
    list: "[]interface {}",
    Asset: "asset.Asset",
    Archive: "archive.Archive",
}


def _value_name(value: Value) -> str:
    return _GO_NAMES.get(type(value), type(value).__name__)
