"""Which inputs a state corresponds to: for a refresh, and for an import. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from lab.doubles.bridged.attributes import Attribute, Many, Nested, Type
from lab.doubles.values import Properties, Secret, Value


def refreshed_inputs(old: Mapping[str, Value], state: Mapping[str, Value]) -> Properties:
    """The inputs that were there, with the values that the state has now."""
    return {
        key: _refreshed(value, state[key])
        for key, value in old.items()
        if key in state and key != "__defaults"
    }


def imported_inputs(attributes: Iterable[Attribute], state: Mapping[str, Value]) -> Properties:
    """What a program would have to say for this state: inputs that are not at their default."""
    found: Properties = {}
    for attribute in attributes:
        if attribute.key not in state or not (attribute.required or attribute.optional):
            continue
        value = _imported(attribute.type, state[attribute.key])
        if attribute.required or not _is_nothing(value):
            found[attribute.key] = value
    return found


def _refreshed(old: Value, new: Value) -> Value:
    if isinstance(old, list) and isinstance(new, list):
        return [_refreshed(a, b) for a, b in zip(old, new, strict=False)]
    if isinstance(old, dict) and isinstance(new, dict):
        return refreshed_inputs(old, new)
    return new


def _imported(type_: Type, value: Value) -> Value:
    match type_:
        case Many(element=element) if isinstance(value, list):
            return [_imported(element, each) for each in value]
        case Nested(attributes=attributes) if isinstance(value, dict):
            return imported_inputs(attributes, value)
        case _:
            return value


def _is_nothing(value: Any) -> bool:  # noqa: ANN401 - any value
    if isinstance(value, Secret):
        return _is_nothing(value.value)
    return value in (None, False, 0.0, "", [], {})
