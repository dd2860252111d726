"""The JSON Schema that editors use says what the models say."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.settings import reference
from infra.settings.schema import SCHEMA, text
from tests.conftest import REPO
from tests.unit.infra.recording import container, stack

STACK_FILES = [REPO / "Pulumi.prod.yaml", *sorted((REPO / "examples").glob("Pulumi.*.yaml"))]


def complaints(document: dict[str, Any]) -> list[str]:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(document)]


def test_the_committed_schema_is_that_of_the_models() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == text(), "run: python -m infra.settings.schema"


@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.name)
def test_every_stack_file_fits_the_schema_and_points_an_editor_to_it(path: Path) -> None:
    content = path.read_text(encoding="utf-8")
    assert complaints(yaml.safe_load(content)) == []
    named = content.splitlines()[0].partition("$schema=")[2]
    assert (path.parent / named).resolve() == SCHEMA


@pytest.mark.parametrize(
    "changes",
    [
        {"memroy_mb": 1},
        {"vm_id": 7},
        {"tags": ["berth+x"]},
        {"node": None},
        {"address": "192.168.1.300/24"},
        {"gateway": "192.168.1.1/24"},
        {"template": {"url": "https://example.org/debian-13.tar.zst"}},
        {"template": {}},
    ],
)
def test_an_editor_marks_what_the_settings_refuse(changes: dict[str, Any]) -> None:
    secrets = {"ssh-key": {"secure": "v1:..."}}
    assert complaints({"config": stack(secrets=secrets)}) == []
    assert complaints({"config": stack({"chat": container(**changes)}, secrets=secrets)})


@pytest.mark.parametrize(
    "hosts", [{"Chat_1": container()}, {"chat": {}}, {"chat": {**container(), "existing": {}}}]
)
def test_an_editor_marks_a_host_that_is_none(hosts: dict[str, Any]) -> None:
    assert complaints({"config": stack(hosts, secrets={"ssh-key": {"secure": "v1:..."}})})


def test_an_editor_marks_what_stands_beside_the_configuration() -> None:
    config = stack(secrets={"ssh-key": {"secure": "v1:..."}})
    assert complaints({"config": config, "berth:services": {}})


def test_an_editor_marks_a_secret_in_clear() -> None:
    assert complaints({"config": stack(secrets={"ssh-key": "clear"})})


def test_the_page_of_every_setting_is_that_of_the_models() -> None:
    said = reference.PAGE.read_text(encoding="utf-8")
    assert said == reference.text(), "run: python -m infra.settings.reference"
