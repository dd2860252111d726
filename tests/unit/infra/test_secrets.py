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
    ]


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"hosts": {"chat": container(address={"secure": HIDDEN})}}, "hosts/chat/container/address"),
        ({"hosts": {"chat": container(tags=["a", {"secure": HIDDEN}])}},
         "hosts/chat/container/tags/1"),
        ({"hosts": {"chat": container(vm_id={"secure": HIDDEN})}}, "hosts/chat/container/vm_id"),
        ({"hosts": {"chat": container(template={"secure": HIDDEN})}},
         "hosts/chat/container/template"),
        ({"id": {"secure": HIDDEN}}, "id"),
        ({"hosts": {"secure": HIDDEN}}, "hosts"),
    ],
)  # fmt: skip
def test_nobody_is_sent_to_name_a_secret_where_none_can_be_named(
    tmp_path: Path, keys: dict[str, Any], path: str
) -> None:
    config = stack(**keys)
    assert errors_of(config, with_file(tmp_path, config)) == [
        (
            f"{path}: a secret must not stand here, where it would be handled in clear; this is "
            "none: write the plain value"
        )
    ]


def test_a_secret_below_a_key_that_nobody_knows_is_told_where_it_belongs(tmp_path: Path) -> None:
    config = stack({"chat": container(passwd={"secure": HIDDEN})}) | {
        "berth:tokens": {"main": {"secure": HIDDEN}}
    }
    said = errors_of(config, with_file(tmp_path, config))
    assert said[0].startswith(
        "hosts/chat/container/passwd: a secret must not stand here, where it would be handled in "
        "clear; move it: pulumi config set --secret --path 'berth:secrets.chat-container-passwd', "
        "and name chat-container-passwd at the key that it is for"
    )
    assert said[1].startswith("hosts/chat/container/passwd: unknown key")
    assert said[2].startswith("tokens: unknown key; known here: ")
    assert said[2].endswith(
        "; a secret in it belongs below berth:secrets: "
        "pulumi config set --secret --path 'berth:secrets.tokens'"
    )
    assert len(said) == 3


@pytest.mark.parametrize("name", ["api_token", "variable"])
def test_where_a_service_takes_a_secret_by_name_its_name_is_offered(
    tmp_path: Path, name: str
) -> None:
    keys: dict[str, Any] = {
        "api_token": {"proxmox": {"endpoint": "https://pve:8006/", "api_token": {"secure": HIDDEN}}},
        "variable": {"services": {"web": {"host": "chat", "source": ".", "app": "a:b",
                                          "secrets": {"A_KEY": {"secure": HIDDEN}}}}},
    }  # fmt: skip
    config = stack(**keys[name])
    offered = {"api_token": "api-token", "variable": "web-secrets-A-KEY"}[name]
    said = [line for line in errors_of(config, with_file(tmp_path, config)) if "must not" in line]
    assert [line.endswith(f"and write {offered} here") for line in said] == [True]


def test_without_the_file_the_top_level_key_is_named() -> None:
    config = stack({"chat": container(root_password={"secure": "proxmox-token"})})
    assert errors_of(config) == [
        (
            "hosts: a secret must not stand here, where it would be handled in clear; move each "
            "one: pulumi config set --secret --path 'berth:secrets.NAME', and write NAME in its "
            "place"
        )
    ]


def test_a_file_that_the_engine_did_not_use_is_not_believed(tmp_path: Path) -> None:
    config = stack({"chat": container(root_password={"secure": "proxmox-token"})})
    other = {"berth:hosts": {"other": {"secure": "x"}}}
    assert errors_of(config, with_file(tmp_path, other))[0].startswith("hosts: ")


def test_no_value_below_a_misplaced_secret_is_repeated(tmp_path: Path) -> None:
    config = stack({"chat": container(cores={"secure": HIDDEN}, hostname={"secure": HIDDEN})})
    assert HIDDEN not in "\n".join(errors_of(config, with_file(tmp_path, config)))
    text = "\n".join(errors_of(config))
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
            (
                "secrets/proxmox-token: must be one encrypted text (secure: ...), not a group of "
                "them; move each one level up: "
                "pulumi config set --secret --path 'berth:secrets.proxmox-token-a'"
            ),
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
    config = stack(proxmox={"9": {"secure": "hunter2"}})
    assert "berth:secrets.proxmox-9'" in errors_of(config, with_file(tmp_path, config))[0]
