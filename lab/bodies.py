"""JSON that requests bring: what could not be kept, or not be read again, is refused. Pure."""

import json
import math
from collections.abc import Mapping

_DEEPEST = 100
"""A state's file is read again by a parser that goes down to 200, and has levels of its own."""


class BodyError(ValueError):
    """A body that is no JSON, or that nothing can be done with."""


def parse(raw: bytes) -> object:
    """The value that `raw` is. BodyError."""
    try:
        value = json.loads(raw, parse_constant=_no_number, parse_float=_finite)
    except RecursionError as error:
        raise BodyError("exceeded max depth") from error
    except ValueError as error:
        raise BodyError(str(error)) from error
    require_keepable(value)
    return value


def require_keepable(value: object) -> None:
    """Raises BodyError where `value` is nested too deep, or has a text that is no Unicode."""
    level = [value]
    for _ in range(_DEEPEST):
        if not level:
            return
        level = [inner for outer in level for inner in _inner(outer)]
    if level:
        raise BodyError("exceeded max depth")


def _inner(value: object) -> list[object]:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise BodyError("a text has half of a surrogate pair") from error
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    return list(value) if isinstance(value, list) else []


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)
