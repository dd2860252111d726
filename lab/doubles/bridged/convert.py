"""Properties of Pulumi to values of upstream and back. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lab.doubles.bridged.attributes import Attribute, Kind, Many, Nested, Tf, Type, camel, snake
from lab.doubles.bridged.shown import kind, shown, spelled_out
from lab.doubles.command.go_text import quoted
from lab.doubles.values import UNKNOWN, Properties, Secret, Unknown, Value, plain


class EncodeError(Exception):
    """A value that has no place in its attribute's type."""


def encode(attributes: Iterable[Attribute], properties: Mapping[str, Value]) -> Tf:
    """Values by upstream name, null for what is not there; unknown keys are dropped.

    Raises EncodeError.
    """
    return {a.name: _encode_attribute(a, plain(properties.get(a.key))) for a in attributes}


def decode(attributes: Iterable[Attribute], values: Mapping[str, Value]) -> Properties:
    """Properties without those that are null; what the schema calls secret is wrapped."""
    found: Properties = {}
    for attribute in attributes:
        value = values.get(attribute.name)
        if value is None:
            continue
        decoded = _decode(attribute.type, value)
        hides = attribute.secret and value != UNKNOWN
        found[attribute.key] = Secret(decoded) if hides else decoded
    return found


def mark_secrets(attributes: Iterable[Attribute], properties: Properties) -> Properties:
    """`properties` with everything wrapped that the schema calls secret."""
    secret = {a.key for a in attributes if a.secret}
    return {
        key: Secret(value) if key in secret and not isinstance(value, Secret) else value
        for key, value in properties.items()
    }


def from_json(type_: Type, value: Any) -> Value:  # noqa: ANN401 - any JSON
    """A value of the HTTP API as upstream has it; what does not fit the type is null."""
    match type_:
        case Many(element=element) if isinstance(value, list):
            return [from_json(element, each) for each in value]
        case Nested(attributes=attributes) if isinstance(value, dict):
            return {a.name: from_json(a.type, value.get(a.field)) for a in attributes}
        case Kind.ANY:
            return _numbers(value)
        case Kind.JSON:
            return None if value is None else json.dumps(value, separators=(",", ":"))
        case Kind():
            return _scalar(type_, value)
        case _:
            return None


def to_json(type_: Type, value: Value) -> Any:  # noqa: ANN401
    """A known value as the HTTP API has it; nulls in objects are left out."""
    match type_:
        case Nested(attributes=attributes) if isinstance(value, dict):
            return {
                a.field: to_json(a.type, value[a.name])
                for a in sorted(attributes, key=lambda a: a.field)
                if a.sent and value.get(a.name) is not None and value[a.name] != UNKNOWN
            }
        case Many(element=element) if isinstance(value, list):
            return [to_json(element, each) for each in value]
        case _:
            return _whole(value)


def _encode_attribute(attribute: Attribute, value: Value) -> Value:
    try:
        return _encode(attribute.type, value)
    except EncodeError as error:
        raise EncodeError(f'objectEncoder failed on property "{attribute.name}": {error}') from None


def _encode(type_: Type, value: Value) -> Value:
    if value is None or isinstance(value, Unknown):
        return value
    match type_:
        case Many():
            return _encode_many(type_, value)
        case Nested(attributes=attributes):
            if not isinstance(value, dict):
                raise EncodeError(
                    f"Expected an Object PropertyValue, found {kind(value)} "
                    f"({quoted(shown(value))})"
                )
            return encode(attributes, value)
        case Kind.BOOL if not isinstance(value, bool):
            raise EncodeError("Expected a Boolean")
        case _:
            return _ENCODERS[type_](value)


def _encode_many(type_: Many, value: Value) -> list[Value]:
    if not isinstance(value, list):
        if type_.unordered:
            raise EncodeError(
                "set encoder failed: expected an Array PropertyValue, got a resource.PropertyValue"
            )
        raise EncodeError("Expected an Array PropertyValue")
    made: list[Value] = []
    for index, each in enumerate(value):
        try:
            made.append(_encode(type_.element, each))
        except EncodeError as error:
            where = f"element {index} ({shown(each)}): {error}"
            words = (
                "set encoder failed: encoding"
                if type_.unordered
                else "encList failed while encoding"
            )
            raise EncodeError(f"{words} {where}") from None
    return made


def _encode_text(value: Value) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case str():
            return value
        case _:
            raise EncodeError(f"Expected a string, got: {shown(value)}")


def _encode_number(value: Value) -> float | None:
    if isinstance(value, str):
        if not value:
            return None
        try:
            return float(value)
        except ValueError:
            raise EncodeError(f"Expected a Number, got {spelled_out(value)} true") from None
    if isinstance(value, bool) or not isinstance(value, float):
        raise EncodeError(f"Expected a Number, got {spelled_out(value)} false")
    return value


def _decode(type_: Type, value: Value) -> Value:
    match type_:
        case Nested(attributes=attributes) if isinstance(value, dict):
            return decode(attributes, value)
        case Many(element=element) if isinstance(value, list):
            return [_decode(element, each) for each in value]
        case Kind.ANY:
            return _renamed(value, camel)
        case _:
            return value


def _renamed(value: Value, rename: Any) -> Value:  # noqa: ANN401
    match value:
        case dict():
            return {rename(k): _renamed(v, rename) for k, v in value.items() if v is not None}
        case list():
            return [_renamed(each, rename) for each in value]
        case _:
            return value


def _numbers(value: Any) -> Value:  # noqa: ANN401
    match value:
        case bool() | str() | None:
            return value
        case int() | float():
            return float(value)
        case list():
            return [_numbers(each) for each in value]
        case _:
            return {key: _numbers(each) for key, each in value.items()}


def _whole(value: Value) -> Any:  # noqa: ANN401
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {key: _whole(each) for key, each in value.items() if each is not None}
        case _:
            return value


def _text(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else None


def _scalar(kind: Kind, value: Any) -> Value:  # noqa: ANN401
    match kind:
        case Kind.STRING:
            return value if isinstance(value, str) else _text(value)
        case Kind.BOOL:
            return value if isinstance(value, bool) else None
        case _:
            return float(value) if isinstance(value, int | float) else None


_ENCODERS: Mapping[Kind, Callable[[Value], Value]] = {
    Kind.ANY: lambda value: _renamed(value, snake),
    Kind.STRING: _encode_text,
    Kind.JSON: _encode_text,
    Kind.BOOL: lambda value: value,
    Kind.NUMBER: _encode_number,
}
