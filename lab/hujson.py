"""JSON with comments and trailing commas, as policies are written. Pure."""

import json
import re
from typing import Any

_PARTS = re.compile(
    r'(?P<string>"(?:\\.|[^"\\])*")|(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<other>[^"/]+|/)', re.DOTALL
)
_TRAILING = re.compile(r'("(?:\\.|[^"\\])*")|,(\s*[\]}])', re.DOTALL)


class HujsonError(ValueError):
    """A text that is no object of this form."""


def standardize(text: str) -> dict[str, Any]:
    """The object that `text` is; raises HujsonError."""
    plain = "".join(
        found[0] if found["comment"] is None else " " for found in _PARTS.finditer(text)
    )
    plain = _without_trailing_commas(plain)
    try:
        value = json.loads(plain)
    except ValueError as error:
        raise HujsonError(str(error)) from error
    if not isinstance(value, dict):
        raise HujsonError("a policy is an object")
    return value


def is_same(left: str, right: str) -> bool:
    """Whether two texts say the same in the same order, comments included."""
    return _tight(left) == _tight(right)


def _tight(text: str) -> str:
    parts = (
        re.sub(r"\s", "", found[0]) if found["other"] is not None else found[0].strip()
        for found in _PARTS.finditer(text)
    )
    return _without_trailing_commas("".join(parts))


def _without_trailing_commas(text: str) -> str:
    return _TRAILING.sub(lambda found: found[1] or found[2], text)
