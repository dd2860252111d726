"""What a preview may say of a state, and the reading of inputs. Pure."""

import secrets
from collections.abc import Mapping

from lab.doubles.diff import Change, changes
from lab.doubles.provider import Refused
from lab.doubles.shapes import Shape, failures, summary
from lab.doubles.values import UNKNOWN, Properties, Value, has_unknown, plain


def readable(shape: Shape, properties: Properties, *, doing: str = "") -> dict[str, Value]:
    """`properties` without secret wrappers; raises Refused when they do not fit `shape`."""
    found = failures(shape, properties)
    if found:
        raise Refused(doing + summary(found))
    return {key: plain(value) for key, value in properties.items()}


def differences(shape: Shape, state: Properties, inputs: Properties) -> list[Change]:
    """The changes between the inputs that `state` holds and `inputs`.

    Only a change of a whole property that replaces does replace: the SDK asks the engine for the
    rest.
    """
    old = {key: value for key, value in state.items() if key in shape.fields}
    new = {k: v for k, v in inputs.items() if k != "version" and not k.startswith("__")}
    return [
        Change(change.path, change.top, change.kind.as_replace())
        if (field := shape.fields.get(change.path)) is not None and field.replaces
        else change
        for change in changes(old, new)
    ]


def touched(shape: Shape, state: Properties, inputs: Properties) -> bool:
    """Whether outputs may come out otherwise: an input is unknown, or not what it was."""
    return any(
        has_unknown(inputs.get(key)) or (key in state and state[key] != inputs.get(key))
        for key in shape.fields
    )


def unknown_outputs(names: tuple[str, ...]) -> Properties:
    """Outputs that only the real run knows."""
    return dict.fromkeys(names, UNKNOWN)


def new_id(prefix: str = "") -> str:
    """An id as the real plugin makes them: eight hexadecimal digits."""
    return prefix + secrets.token_hex(4)


def text_of(values: Mapping[str, Value], key: str) -> str | None:
    """The text at `key`; raises Refused where it is not known in a real run."""
    value = values.get(key)
    if value == UNKNOWN:
        raise Refused(f"{key}: is not known, in a run that is no preview")
    return value if isinstance(value, str) else None
