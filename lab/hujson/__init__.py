"""JSON with comments and trailing commas, as policies are written. Pure."""

from typing import Any

from lab.hujson.layout import layout
from lab.hujson.parse import HujsonError, parse
from lab.hujson.plain import as_plain

__all__ = ["HujsonError", "check", "is_same", "standardize"]


def check(text: str) -> None:
    """Raises HujsonError, in the words of Tailscale's own reader, for a text that is none."""
    parse(text)


def standardize(text: str) -> dict[str, Any]:
    """The object that `text` is; raises HujsonError."""
    value = as_plain(parse(text))
    if not isinstance(value, dict):
        raise HujsonError("a policy is an object")
    return value


def is_same(left: str, right: str) -> bool:
    """Whether two texts look the same once both are laid out as Tailscale lays them out."""
    try:
        return bool(layout(parse(left)) == layout(parse(right)))
    except HujsonError:
        return False
