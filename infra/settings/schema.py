"""The JSON Schema of a stack file, for editors. `python -m infra.settings.schema` writes it."""

import json
from pathlib import Path
from typing import Any

from infra.settings.models import StackFile

SCHEMA = Path(__file__).resolve().parents[2] / "schema" / "berth.schema.json"
_SECURE = {
    "type": "object",
    "description": "set by: pulumi config set --secret --path 'berth:secrets.NAME'",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def schema() -> dict[str, Any]:
    """A whole Pulumi.STACK.yaml. What belongs to the engine or other packages is let through."""
    models = StackFile.model_json_schema()
    _close(models)
    definitions = models.pop("$defs")
    properties = {
        f"berth:{name}": {**value, "description": value.get("description", "")}
        for name, value in models["properties"].items()
    }
    properties["berth:secrets"] = {
        "type": "object",
        "description": "the only place for secrets; everything else refers to them by name",
        "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_-]{0,63}$"},
        "additionalProperties": _SECURE,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack file of berth",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": properties,
                "required": [f"berth:{name}" for name in models["required"]],
                "patternProperties": {"^(?!berth:)[^:]+:": {}},
                "additionalProperties": False,
            },
        },
        # The engine passes over what stands beside `config:` instead of below it.
        "patternProperties": {"^berth:": False},
        "$defs": definitions,
    }


def _close(part: Any) -> None:  # noqa: ANN401 (any JSON)
    """Refuse names that fit no pattern, as the models do; pydantic leaves that open."""
    if isinstance(part, dict):
        if "patternProperties" in part:
            part.setdefault("additionalProperties", False)
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            _close(one)


def text() -> str:
    """The schema as it is committed."""
    return json.dumps(schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
