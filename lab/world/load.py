"""Reads a world file: a World, or every error at once with its path."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from lab.errors import LabError
from lab.world.models import World

DEFAULT_WORLD = Path(__file__).with_name("default.yaml")


def load_world(path: Path) -> World:
    """The world that `path` describes; raises LabError with one line for each fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise LabError(f"{path}: cannot be read ({error.strerror}); name a world file") from error
    except UnicodeDecodeError as error:
        raise LabError(f"{path}: is not UTF-8 text; name a world file") from error
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise LabError(f"{path}: is no YAML: {error}") from error
    if document is None:
        raise LabError(f"{path}: is empty; `lab world` prints the default to start from")
    try:
        return World.model_validate(document)
    except ValidationError as error:
        lines = [f"{path}: {line}" for line in _lines(error)]
        raise LabError("\n".join(lines)) from None


def _lines(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for fault in error.errors(include_url=False):
        where = "/".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        if not where:
            lines += message.splitlines()
        elif fault["type"] == "extra_forbidden":
            lines.append(f"{where}: is no key of a world file; remove it or mend its spelling")
        else:
            shown = "" if fault["type"] == "missing" else f", got {fault['input']!r}"
            lines.append(f"{where}: {message[:1].lower()}{message[1:]}{shown}")
    return lines
