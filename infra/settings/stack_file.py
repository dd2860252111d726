"""Finds in the stack file itself where `secure:` stands, which the engine does not tell.

Only for better messages: nothing is configured from here, and where the file cannot be found
(it was named with --config-file) the messages name the top-level key instead.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class StackText:
    """The `config:` of a stack file as its YAML says it, secrets still encrypted."""

    config: Mapping[str, Any]

    def secret_places(self, key: str) -> list[Place]:
        """Paths of all encrypted values below a top-level key."""
        return list(_secure_below(self.config.get(f"berth:{key}"), (key,)))

    def clear_secrets(self) -> list[str]:
        """Names in berth:secrets whose values are not encrypted."""
        secrets = self.config.get("berth:secrets")
        if not isinstance(secrets, dict):
            return []
        return [str(name) for name, value in secrets.items() if not _is_secure(value)]


def keys_outside(environment: Mapping[str, str], stack: str, keys: set[str]) -> list[str]:
    """berth: keys beside `config:` instead of below it, which the engine passes over in silence."""
    text = _read(environment, stack) or ""
    if not all(f"berth:{key}" in text for key in keys):
        return []
    return re.findall(r"^[\"']?berth:(\w+)[\"']?\s*:", text, re.MULTILINE)


def read_stack_text(environment: Mapping[str, str], stack: str, keys: set[str]) -> StackText | None:
    """The stack file that the engine used, as far as that can be told; else None."""
    text = _read(environment, stack)
    if text is None:
        return None
    if "secure:" not in text and '"secure"' not in text:
        return None
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        return None
    if {k.removeprefix("berth:") for k in config if str(k).startswith("berth:")} < keys:
        return None
    return StackText(config)


def _read(environment: Mapping[str, str], stack: str) -> str | None:
    path = Path(environment.get("PULUMI_OPTION_CONFIG_FILE") or f"Pulumi.{stack}.yaml")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


def _is_secure(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def _secure_below(value: object, path: Place) -> Iterator[Place]:
    if _is_secure(value):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _secure_below(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secure_below(item, (*path, index))
