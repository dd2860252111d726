"""Says in words what pydantic found: path, problem, remedy."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from infra.settings.checks import Hint, shown
from infra.settings.fields import field_at, model_at
from infra.settings.problems import Problem, at

_PLAIN: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "bool_type": lambda _: "must be true or false",
    "string_type": lambda _: "must be text",
    "tuple_type": lambda _: "must be a list",
    "model_type": lambda _: "must be a mapping of keys",
    "dict_type": lambda _: "must be a mapping of keys",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "literal_error": lambda context: f"must be one of {context['expected'].replace(chr(39), '')}",
}
_EMPTY = {
    "model_type": "give it keys",
    "dict_type": "give it keys",
    "tuple_type": "write a list",
}


def in_words(
    error: Mapping[str, Any], tainted: frozenset[str], make_id: Callable[[], str]
) -> Problem:
    """One of pydantic's errors as a problem. Values below a `tainted` key are not repeated."""
    loc = tuple(part for part in error["loc"] if part != "[key]")
    if loc == ("id",) and error["type"] == "missing":
        line = f"berth:id: {make_id()}"
        return Problem("id", f'missing; add this line below "config:" in the stack file: {line}')
    said = _text(error, loc, hidden=loc[0] in tainted)
    if loc == ("id",) and error["input"] == "":
        said = "is empty"
    if loc == ("id",):
        # Another id for a stack that has containers would make strangers of them.
        said += f"; for a new stack: berth:id: {make_id()}"
    return Problem(at(*loc), said)


def _text(error: Mapping[str, Any], loc: tuple[Any, ...], *, hidden: bool) -> str:
    field = field_at(loc)
    match error["type"]:
        case "missing":
            return f"missing; give {field.description}" if field else "missing"
        case "extra_forbidden":
            return _unknown(loc)
        case "value_error":
            said = str(error["ctx"]["error"])
            return said.partition(", got ")[0] if hidden else said
    if error["type"] in _EMPTY and error["input"] in (None, ""):
        out = "" if field and field.is_required() else "take the line out, or "
        return f"is empty; {out}{_EMPTY[error['type']]}"
    plain = _PLAIN.get(error["type"])
    said = plain(error.get("ctx", {})) if plain else error["msg"][0].lower() + error["msg"][1:]
    if hidden:
        return said
    return f"{said}, got {shown(error['input'])}{_remedy(error, field)}"


def _remedy(error: Mapping[str, Any], field: FieldInfo | None) -> str:
    given = error["input"]
    if error["type"] in {"int_type", "bool_type"} and isinstance(given, str):
        looks_right = given.isdigit() or given in {"true", "false"}
        return "; take the quotes away" if looks_right else ""
    if error["type"] == "tuple_type" and isinstance(given, str):
        return f"; write [{given}]"
    if error["type"] != "greater_than_equal" or not field:
        return ""
    hints = [m.text for m in field.metadata if isinstance(m, Hint)]
    return "".join(f"; {hint}" for hint in hints)


def _unknown(loc: tuple[Any, ...]) -> str:
    model = model_at(loc[:-1])
    known = sorted(model.model_fields) if model else []
    close = difflib.get_close_matches(str(loc[-1]), known, n=1)
    if close:
        return f"unknown key; did you mean {close[0]}?"
    return f"unknown key; known here: {', '.join(known)}"
