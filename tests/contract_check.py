"""Holds recorded requests and answers to the extract of Proxmox's own schema.

A walker of its own for Proxmox's dialect: nothing of the lab's validator is used here. What the
extract only names (`format` as a word) is not checked.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import SHARED

Json = dict[str, Any]

KNOWN_DEVIATIONS = {
    ("GET /nodes/{node}/lxc/{vmid}/config", "/cpulimit"): "the file's text, not a number",
    ("GET /nodes/{node}/lxc/{vmid}/interfaces", ""): "null for a container that does not run",
    ("GET /nodes/{node}/lxc/{vmid}/firewall/rules/{pos}", "/pos"): "text in a single rule",
}
"""Where Proxmox itself answers something else than its schema says."""


@cache
def contract() -> Json:
    """The extract, keyed `METHOD /path`."""
    text = (SHARED / "contracts" / "pve-api.json").read_text(encoding="utf-8")
    document: Json = json.loads(text)
    return document


def faults(exchange: Json) -> list[str]:
    """Every way in which an exchange breaks the contract; `exchange` as the lab records it."""
    if exchange["status"] != 200:
        return [f"{_name(exchange)}: {text}" for text in _refusal_faults(exchange)]
    call = exchange["call"]
    if call not in contract():
        return [f"{call}: Proxmox has no such call"]
    method = contract()[call]
    found = [*_request_faults(method["parameters"], exchange["params"])]
    found += [
        f"answer{path}: {text}"
        for path, text in _value_faults(method["returns"], exchange["answer"]["data"], "")
        if (call, path) not in KNOWN_DEVIATIONS
    ]
    return [f"{call}: {text}" for text in found]


def _name(exchange: Json) -> str:
    return f"{exchange['method']} {exchange['path']} {exchange['status']}"


def _refusal_faults(exchange: Json) -> Iterator[str]:
    answer, status = exchange["answer"], exchange["status"]
    if status not in {400, 401, 403, 500, 501, 506}:
        yield "Proxmox sends no such status"
    if answer is None:
        if status != 401:
            yield "no body"
        return
    if answer["data"] is not None or not answer["message"].endswith("\n"):
        yield f"no body of an error: {answer}"
    first = re.sub(r"[\x00-\x1f\x7f]", " ", answer["message"].partition("\n")[0]).strip()
    if exchange["reason"] != first:
        yield f"the reason phrase is not the message: {exchange['reason']!r}"


def _request_faults(schema: Json, params: Json) -> Iterator[str]:
    properties = schema.get("properties") or {}
    for name, value in params.items():
        known = properties.get(name) or properties.get(re.sub(r"\d+$", "[n]", name))
        if known is None:
            yield f"request/{name}: Proxmox knows no such parameter"
        elif (text := _text_fault(known, str(value))) is not None:
            yield f"request/{name}: {text}"
    for name, known in properties.items():
        if not known.get("optional") and "[n]" not in name and name not in params:
            yield f"request/{name}: is missing"


def _text_fault(schema: Json, value: str) -> str | None:  # noqa: PLR0911 - one for each fault
    kind = schema["type"]
    if kind == "integer" and not re.fullmatch(r"-?\d+", value):
        return f"{value!r} is no integer"
    if kind == "number" and not re.fullmatch(r"-?\d*\.?\d+", value):
        return f"{value!r} is no number"
    if kind == "boolean" and value not in {"0", "1"}:
        return f"{value!r} is no boolean"
    if kind in {"integer", "number"} and (limit := _limit_fault(schema, float(value))):
        return limit
    if schema.get("enum") and value not in schema["enum"]:
        return f"{value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.fullmatch(_python(schema["pattern"]), value, re.ASCII):
        return f"{value!r} does not match {schema['pattern']}"
    if len(value) > int(schema.get("maxLength", len(value))):
        return "is too long"
    if len(value) < int(schema.get("minLength", 0)):
        return "is too short"
    inner = schema.get("format")
    return _property_string_fault(inner, value) if isinstance(inner, dict) else None


def _property_string_fault(table: Json, value: str) -> str | None:
    default = next((name for name, known in table.items() if known.get("default_key")), None)
    found: dict[str, str] = {}
    for part in value.split(","):
        key, equals, text = part.partition("=")
        found[key if equals else str(default)] = text if equals else part
    for key, text in found.items():
        if key not in table:
            return f"{key}: no key of this property string"
        if (fault := _text_fault(table[key], text)) is not None:
            return f"{key}: {fault}"
    missing = [k for k, known in table.items() if not known.get("optional") and k not in found]
    return f"{missing[0]}: is missing" if missing else None


def _limit_fault(schema: Json, value: float) -> str | None:
    if "minimum" in schema and value < float(schema["minimum"]):
        return f"{value} is under {schema['minimum']}"
    if "maximum" in schema and value > float(schema["maximum"]):
        return f"{value} is over {schema['maximum']}"
    return None


def _python(pattern: str) -> str:
    return pattern.replace("(?^:", "(?:")


def _value_faults(schema: Json, value: Any, path: str) -> Iterator[tuple[str, str]]:
    kind = schema.get("type", "object")
    good = {
        "null": value is None,
        "string": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": value in (0, 1) and not isinstance(value, str),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }[kind]
    if not good:
        yield path, f"{value!r} is no {kind}"
    elif kind == "array":
        for index, item in enumerate(value):
            yield from _value_faults(schema.get("items", {}), item, f"{path}/{index}")
    elif kind == "object":
        yield from _object_faults(schema, value, path)
    elif kind != "null" and (fault := _text_fault(schema, _as_text(value))) is not None:
        yield path, fault


def _object_faults(schema: Json, value: Json, path: str) -> Iterator[tuple[str, str]]:
    properties = schema.get("properties") or {}
    for name, inner in value.items():
        known = properties.get(name) or properties.get(re.sub(r"\d+$", "[n]", name))
        if known is not None:
            yield from _value_faults(known, inner, f"{path}/{name}")
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from _value_faults(schema["additionalProperties"], inner, f"{path}/{name}")
        elif schema.get("additionalProperties") == 0:
            yield f"{path}/{name}", "is a key that Proxmox does not answer"
    for name, known in properties.items():
        if not known.get("optional") and name not in value:
            yield f"{path}/{name}", "is missing"


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:f}" if isinstance(value, float) else str(value)


def file_faults(path: Path) -> list[str]:
    """The same for a whole file of recorded exchanges, one JSON document a line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [fault for line in lines for fault in faults(json.loads(line))]
