"""Secrets stand in one place, and are secret from there on."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.infra.recording import SECRETS, TOKEN, container, errors_of, settings_of, stack

HIDDEN = "Tr0ub4dor&3"


def with_file(tmp_path: Path, config: dict[str, Any]) -> dict[str, str]:
    """The environment that says which file the engine used."""
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(yaml.safe_dump({"config": config}))
    return {"PULUMI_OPTION_CONFIG_FILE": str(path)}


def test_a_secret_outside_its_place_is_refused_with_where_to_move_it(tmp_path: Path) -> None:
    config = stack({"chat": container(root_password={"secure": HIDDEN})})
    problems = errors_of(config, with_file(tmp_path, config))
    assert problems == [
        (
            "hosts/chat/container/root_password: a secret must not stand here, where it would be "
            "handled in clear; move it: pulumi config set --secret --path "
            "'berth:secrets.chat-container-root-password', and write chat-container-root-password "
            "here"
        ),
        (
            "hosts/chat/container/root_password: must be the name of an entry of berth:secrets "
            "(A-Z, a-z, 0-9, _ and -), never the secret itself"
        ),
    ]


def test_without_the_file_the_top_level_key_is_named() -> None:
    config = stack({"chat": container(root_password={"secure": "proxmox-token"})})
    assert errors_of(config) == [
        (
            "hosts: a secret must not stand here, where it would be handled in clear; move it: "
            "pulumi config set --secret --path 'berth:secrets.hosts', and write hosts here"
        )
    ]


def test_a_file_that_the_engine_did_not_use_is_not_believed(tmp_path: Path) -> None:
    config = stack({"chat": container(root_password={"secure": "proxmox-token"})})
    other = {"berth:hosts": {"other": {"secure": "x"}}}
    assert errors_of(config, with_file(tmp_path, other))[0].startswith("hosts: ")


def test_no_value_below_a_misplaced_secret_is_repeated(tmp_path: Path) -> None:
    config = stack({"chat": container(cores={"secure": HIDDEN}, hostname={"secure": HIDDEN})})
    text = "\n".join(errors_of(config, with_file(tmp_path, config)))
    assert HIDDEN not in text
    assert "hosts/chat/container/cores: must be a whole number" in text


@pytest.mark.parametrize(
    ("secrets", "problem"),
    [
        (
            {"proxmox-token": TOKEN},
            (
                "secrets/proxmox-token: stands in clear text; encrypt it: "
                "pulumi config set --secret --path 'berth:secrets.proxmox-token'"
            ),
        ),
        (
            {"proxmox-token": {"a": {"secure": TOKEN}}},
            "secrets/proxmox-token: must be one encrypted text (secure: ...)",
        ),
    ],
)
def test_secrets_are_encrypted_one_by_one(
    tmp_path: Path, secrets: dict[str, Any], problem: str
) -> None:
    config = stack(secrets=SECRETS | secrets)
    problems = errors_of(config, with_file(tmp_path, config))
    assert problems == [problem]
    assert TOKEN not in problem


def test_secrets_in_clear_are_refused_without_the_file_too() -> None:
    config = stack(secrets={"proxmox-token": TOKEN, "ssh-key": "key"})
    problems = errors_of(config)
    assert [p.partition(":")[0] for p in problems if "clear text" in p] == [
        "secrets/proxmox-token",
        "secrets/ssh-key",
    ]
    assert TOKEN not in "".join(problems)


def test_a_token_of_the_wrong_form_is_refused_and_not_shown() -> None:
    secrets = SECRETS | {"proxmox-token": {"secure": HIDDEN}}
    assert errors_of(stack(secrets=secrets)) == [
        (
            "secrets/proxmox-token: is no API token; the form is USER@REALM!ID=UUID, such as "
            "berth@pve!deploy=01234567-89ab-cdef-0123-456789abcdef"
        )
    ]


def test_no_secret_is_in_the_text_of_the_settings() -> None:
    hosts = {"chat": container(root_password="proxmox-token")}
    text = repr(settings_of(stack(hosts)))
    assert TOKEN not in text
    assert "PRIVATE KEY" not in text


@pytest.mark.parametrize(
    "keys",
    [
        {"hosts": {"chat": container(root_password={"secure": "hunter2"})}},
        {"proxmox": {"endpoint": "https://pve:8006/", "api_token": {"secure": "hunter2"}}},
        {"ssh": {"private_key": {"secure": "hunter2"}}},
        {"replace": [{"secure": "hunter2"}]},
        {"remove": ["chat", {"secure": "hunter2"}]},
        {"hosts": {"chat": container(was={"secure": "chat"}, hostname={"secure": "hunter2"})}},
    ],
)
def test_a_misplaced_secret_that_looks_like_a_name_is_not_repeated(
    tmp_path: Path, keys: dict[str, Any]
) -> None:
    config = stack(**keys)
    for environment in ({}, with_file(tmp_path, config)):
        problems = errors_of(config, environment)
        assert any("a secret must not stand here" in problem for problem in problems)
        assert "hunter2" not in "\n".join(problems)


def test_the_other_errors_beside_a_misplaced_secret_are_told(tmp_path: Path) -> None:
    config = stack({"chat": container(tags=[{"secure": "hunter2"}], gateway="10.0.0.1")})
    assert any(
        problem.startswith("hosts/chat/container/gateway: must be in the subnet")
        for problem in errors_of(config, with_file(tmp_path, config))
    )


def test_the_name_that_is_offered_for_a_misplaced_secret_is_one(tmp_path: Path) -> None:
    config = stack(replace=[{"secure": "hunter2"}])
    assert "berth:secrets.replace-0'" in errors_of(config, with_file(tmp_path, config))[0]
