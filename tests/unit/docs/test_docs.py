"""What the documentation shows can be done: files, commands, targets and worlds in it exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
import yaml
from jsonschema import Draft202012Validator

from lab.cli.app import app
from lab.world.load import load_world
from tests.conftest import REPO

PAGES = sorted([*REPO.glob("*.md"), *(REPO / "docs").rglob("*.md")])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (REPO / "Makefile").read_text(), re.MULTILINE))


def blocks(language: str) -> Iterator[tuple[Path, int, str]]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _FENCE.finditer(text):
            if found[1] == language:
                yield page, text.count("\n", 0, found.start()) + 1, found[2]


def where(value: object) -> str:
    return str(value.relative_to(REPO)) if isinstance(value, Path) else ""


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_no_page_names_a_command_or_a_target_that_is_not_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    code = " ".join([*(m[2] for m in _FENCE.finditer(text)), *re.findall(r"`([^`\n]+)`", text)])
    assert set(re.findall(r"bin/lab ([a-z]+)", code)) <= COMMANDS
    # `apt-get install make git` is no call of make.
    assert set(re.findall(r"(?:^|\s)make (?!-C|git)([a-z0-9-]+)", code)) <= TARGETS


@pytest.mark.parametrize(
    ("page", "line", "text"),
    [b for b in blocks("yaml") if "proxmox:" in b[2].splitlines()],
    ids=where,
)
def test_a_world_in_the_documentation_is_one(
    page: Path, line: int, text: str, tmp_path: Path
) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(text)
    assert load_world(file).proxmox.node.name, f"{page}:{line}"


@pytest.mark.parametrize(("page", "line", "text"), list(blocks("yaml")), ids=where)
def test_what_is_shown_as_yaml_is_yaml(page: Path, line: int, text: str) -> None:
    assert yaml.safe_load(text) is not None, f"{page}:{line}"


def test_the_documented_world_shows_every_part_that_a_world_can_have() -> None:
    shown = next(text for page, _, text in blocks("yaml") if page.name == "lab.md")
    document = yaml.safe_load(shown)
    from lab.world import World
    from lab.world.models import Proxmox

    assert set(document) == set(World.model_fields)
    assert set(document["proxmox"]) == set(Proxmox.model_fields)


@pytest.mark.parametrize(
    ("page", "line", "text"),
    [b for b in blocks("yaml") if b[2].lstrip().startswith("config:")],
    ids=where,
)
def test_a_piece_of_a_stack_file_has_keys_and_values_that_settings_know(
    page: Path, line: int, text: str
) -> None:
    schema = json.loads((REPO / "schema" / "berth.schema.json").read_text())
    faults = Draft202012Validator(schema).iter_errors(yaml.safe_load(text))
    assert [e.message for e in faults if e.validator != "required"] == [], f"{page}:{line}"
