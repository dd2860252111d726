"""Property values as the bridge's errors show them: it is a Go program. Pure."""

from lab.doubles.command.go_text import quoted
from lab.doubles.values import Value

_KINDS = {bool: "bool", float: "number", str: "string", list: "[]", dict: "object"}


def kind(value: Value) -> str:
    """The name of a value's type."""
    return _KINDS.get(type(value), type(value).__name__.lower())


def shown(value: Value) -> str:
    """As %v has it: `{red}`, `{[{1} {2}]}`, `{map[a:{true}]}`."""
    match value:
        case list():
            return "{[" + " ".join(shown(each) for each in value) + "]}"
        case dict():
            parts = (f"{key}:{shown(value[key])}" for key in sorted(value))
            return "{map[" + " ".join(parts) + "]}"
        case _:
            return "{" + _scalar(value) + "}"


def spelled_out(value: Value) -> str:
    """As %#v has it: `resource.PropertyValue{V:"red"}`."""
    return "resource.PropertyValue{V:" + _literal(value) + "}"


def _literal(value: Value) -> str:
    match value:
        case str():
            return quoted(value)
        case list():
            return "[]resource.PropertyValue{" + ", ".join(map(spelled_out, value)) + "}"
        case dict():
            parts = (f"{quoted(key)}:{spelled_out(value[key])}" for key in sorted(value))
            return "resource.PropertyMap{" + ", ".join(parts) + "}"
        case _:
            return _scalar(value)


def _scalar(value: Value) -> str:
    match value:
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case float() if value.is_integer() and abs(value) < 1e21:
            return str(int(value))
        case _:
            return str(value)
