"""Reads a world file: a World, or every error at once with its path."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lab.errors import LabError
from lab.world.models import World

DEFAULT_WORLD = Path(__file__).with_name("default.yaml")


def load_world(path: Path) -> World:
    """The world that `path` describes; raises LabError with one line for each fault."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LabError(f"{path}: cannot be read ({error.strerror}); name a world file") from error
    except UnicodeDecodeError as error:
        raise LabError(f"{path}: is not UTF-8 text; name a world file") from error
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        twice = list(_twice(root))
        document = loader.construct_document(root) if root is not None else None
    except (yaml.YAMLError, RecursionError) as error:
        raise LabError(f"{path}: is no YAML: {error}") from error
    if document is None:
        raise LabError(f"{path}: is empty; `lab world` prints the default to start from")
    try:
        world, lines = World.model_validate(document), twice
    except ValidationError as error:
        world, lines = None, [*twice, *_all_lines(document, error)]
    if world is None or lines:
        raise LabError("\n".join(f"{path}: {line}" for line in lines))
    return world


def _twice(node: yaml.Node | None) -> Iterator[str]:
    """Keys that a mapping has twice, of which YAML would silently take the last."""
    nodes, met = [node], set()
    while nodes:
        here = nodes.pop()
        if here is None or id(here) in met:
            continue
        met.add(id(here))
        if isinstance(here, yaml.SequenceNode):
            nodes += here.value
        elif isinstance(here, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in here.value:
                nodes += [key, value]
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    line = key.start_mark.line + 1
                    yield f"{key.value}: is there twice, again in line {line}; keep one of them"
                seen.add(str(key.value))


def _all_lines(document: object, error: ValidationError) -> list[str]:
    """A line for each fault; names are looked up although there are keys that nobody knows."""
    found = error.errors(include_url=False)
    unknown = [fault["loc"] for fault in found if fault["type"] == "extra_forbidden"]
    lines = [line for fault in found for line in _lines(fault)]
    if not unknown:
        return lines
    known = copy.deepcopy(document)
    for place in unknown:
        _remove(known, place)
    try:
        World.model_validate(known)
    except ValidationError as rest:
        further = [line for fault in rest.errors(include_url=False) for line in _lines(fault)]
        lines += [line for line in further if line not in lines]
    return lines


def _remove(document: Any, place: tuple[int | str, ...]) -> None:  # noqa: ANN401 - any YAML
    for step in place[:-1]:
        document = document[step]
    del document[place[-1]]


def _lines(fault: ErrorDetails) -> list[str]:
    where = "/".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    if not where and fault["type"] == "model_type":
        return ["is no mapping of keys; `lab world` prints the default to start from"]
    if not where:
        return message.splitlines()
    if fault["type"] == "extra_forbidden":
        return [f"{where}: is no key of a world file; remove it or mend its spelling"]
    shown = "" if fault["type"] == "missing" else f", got {fault['input']!r}"
    return [f"{where}: {message[:1].lower()}{message[1:]}{shown}"]
