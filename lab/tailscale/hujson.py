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
    plain = _TRAILING.sub(lambda found: found[1] or found[2], plain)
    try:
        value = json.loads(plain)
    except ValueError as error:
        raise HujsonError(str(error)) from error
    if not isinstance(value, dict):
        raise HujsonError("a policy is an object")
    return value
