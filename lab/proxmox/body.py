"""Reads the parameters of an HTTP request: path, query and body in one."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import web

from lab.proxmox.errors import ApiError
from lab.proxmox.schema import Param
from lab.proxmox.validate import SEVERAL, find

_LIMIT = 512 * 1024
_FORM = "application/x-www-form-urlencoded"

Lists = dict[str, list[str]]


async def read_body(request: web.Request) -> Lists:
    """The values of a form or JSON body by name; raises what Proxmox answers to other bodies."""
    length = request.content_length or 0
    if request.method in {"GET", "DELETE"}:
        if length or "Transfer-Encoding" in request.headers:
            raise ApiError(501, f"Unexpected content for method '{request.method}'")
        return {}
    if length > _LIMIT:
        raise ApiError(501, "for data too large")
    content_type = request.headers.get("Content-Type", _FORM).partition(";")[0].strip()
    if content_type not in {_FORM, "application/json"}:
        raise ApiError(506, f"upload 'Content-Type '{content_type}' not implemented")
    raw = await request.content.read(_LIMIT + 1)
    while len(raw) <= _LIMIT and (more := await request.content.read(_LIMIT + 1)):
        raw += more
    if len(raw) > _LIMIT:
        raise ApiError(501, "for data too large")
    try:
        text = raw.decode()
        return _json_values(text) if content_type == "application/json" else form_values(text)
    except ValueError as error:
        raise ApiError(400, f"unable to parse the request's body: {error}") from error


def form_values(text: str) -> Lists:
    """Values by name; a name may come more than once."""
    found: Lists = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def _json_values(text: str) -> Lists:
    document = json.loads(text or "{}")
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the text is at fault, no caller
    found: Lists = {}
    for name, value in document.items():
        values = value if isinstance(value, list) else [value]
        found[name] = [_json_text(item) for item in values if item is not None]
    for word in (*found, *(value for values in found.values() for value in values)):
        word.encode()  # half a character, which JSON can spell, could be kept nowhere
    return {name: values for name, values in found.items() if values}


def _json_text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else json.dumps(value)


def merge(
    table: Mapping[str, Param], path: Mapping[str, str], query: Lists, body: Lists
) -> dict[str, str]:
    """One value for each name; raises a 400 when path or query and body disagree."""
    merged = {name: _one(table, name, values) for name, values in body.items()}
    from_uri = {name: _one(table, name, values) for name, values in query.items()} | dict(path)
    for name, value in from_uri.items():
        if merged.get(name, value) != value:
            raise ApiError(
                400, "duplicate parameter (already defined in URI) with conflicting values!"
            )
    return merged | from_uri


def _one(table: Mapping[str, Param], name: str, values: list[str]) -> str:
    param = find(table, name)
    is_list = param is not None and isinstance(param.format, str) and param.format.endswith("-list")
    if len(values) == 1:
        return values[0]
    return ",".join(values) if is_list else f"{SEVERAL}{len(values):x})"
