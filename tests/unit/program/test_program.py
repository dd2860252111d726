"""The whole program for each stack file of the repository, under recording mocks."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPO
from tests.unit.infra.recording import (
    PRIVATE_KEY,
    PUBLIC_KEY,
    TOKEN,
    Program,
    config_of,
    container,
    run_program,
    stack,
)

STACK_FILES = [REPO / "Pulumi.prod.yaml", *sorted((REPO / "examples").glob("Pulumi.*.yaml"))]
CONTAINER = "proxmoxve:index/containerLegacy:ContainerLegacy"


@pytest.fixture
def open_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stack files may leave open, as the lab or a user's shell fills it."""
    known = tmp_path / "known_hosts"
    known.write_text(f"192.168.200.37,172.16.168.20,172.16.168.19,10.10.0.50 {PUBLIC_KEY}\n")
    monkeypatch.setenv("BERTH_KNOWN_HOSTS", str(known))


def run_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    config = config_of(path)
    config.setdefault(
        "berth:proxmox", {"endpoint": "https://pve:8006/", "api_token": "proxmox-token"}
    )
    config.setdefault("berth:ssh", {"private_key": "ssh-key"})
    return run_program(config, monkeypatch)


@pytest.mark.usefixtures("open_environment")
@pytest.mark.parametrize("path", STACK_FILES, ids=lambda path: path.name)
class TestEveryStackFile:
    """What holds for each."""

    def test_no_two_resources_share_a_name(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recorded = run_file(path, monkeypatch).recorded
        counted = Counter((resource.kind, resource.name) for resource in recorded)
        assert [name for name, count in counted.items() if count > 1] == []

    def test_every_host_is_a_component_and_is_exported(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        declared = set(config_of(path)["berth:hosts"])
        program = run_file(path, monkeypatch)
        components = {r.name for r in program.recorded if r.kind.startswith("berth:infra:")}
        assert declared <= components
        assert set(program.outputs["hosts"]) == declared

    def test_no_secret_is_in_an_input_that_is_not_secret(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = run_file(path, monkeypatch)
        plain = [
            str(value)
            for resource in program.recorded
            for key, value in resource.inputs.items()
            if key not in resource.secret
        ]
        text = "\n".join([*plain, str(program.outputs)])
        assert TOKEN not in text
        assert PRIVATE_KEY.splitlines()[1] not in text


def chat_of(program: Program) -> dict[str, Any]:
    return program.resources["chat-container"].inputs


@pytest.fixture
def prod(monkeypatch: pytest.MonkeyPatch) -> Program:
    """The program of Pulumi.prod.yaml."""
    return run_program(config_of(REPO / "Pulumi.prod.yaml"), monkeypatch)


def test_prod_is_the_container_of_the_first_deployment(prod: Program) -> None:
    chat = chat_of(prod)
    start = chat["initialization"]
    assert (chat["nodeName"], chat["vmId"]) == ("pve", 111)
    assert start["ipConfigs"] == [
        {"ipv4": {"address": "192.168.1.111/24", "gateway": "192.168.1.1"}}
    ]
    assert (chat["cpu"], chat["memory"]) == ({"cores": 2}, {"dedicated": 2048, "swap": 512})
    assert chat["disk"] == {"datastoreId": "local-lvm", "size": 24}
    assert (chat["unprivileged"], chat["startOnBoot"]) == (True, True)
    assert chat["features"] == {"nesting": True}
    assert chat["operatingSystem"]["type"] == "debian"


def test_a_container_carries_the_mark_and_the_stacks_key(prod: Program) -> None:
    chat = chat_of(prod)
    assert chat["tags"] == ["berth+berth+prod+chat+k7q2m9xw"]
    assert chat["initialization"]["userAccount"] == {"keys": [PUBLIC_KEY]}


def test_the_provider_gets_every_credential_explicitly(prod: Program) -> None:
    provider = prod.resources["proxmox"]
    assert provider.kind == "pulumi:providers:proxmoxve"
    assert provider.inputs["endpoint"] == "https://192.168.1.11:8006/"
    assert provider.inputs["apiToken"] == TOKEN
    assert "apiToken" in provider.secret
    assert provider.inputs["insecure"] == "false"


def test_a_root_password_is_secret_in_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    config = stack({"chat": container(root_password="chat-root")})
    config["berth:secrets"] |= {"chat-root": {"secure": "hunter2hunter2"}}
    chat = run_program(config, monkeypatch).resources["chat-container"]
    assert "initialization" in chat.secret
    assert "hunter2" in str(chat.inputs["initialization"])


def test_a_template_is_downloaded_once_for_all_that_need_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    template = {"url": "https://example.org/debian-13.tar.zst", "checksum": "A" * 64}
    hosts = {
        "chat": container(template=template),
        "web": container(template=template, vm_id=112, address="192.168.1.112/24"),
    }
    program = run_program(stack(hosts), monkeypatch)
    [file] = [r for r in program.recorded if r.kind == "proxmoxve:download/file:File"]
    assert file.inputs["overwrite"] is False
    assert file.inputs["checksum"] == "a" * 64
    made_from = chat_of(program)["operatingSystem"]["templateFileId"]
    assert made_from == "local:vztmpl/debian-13.tar.zst"


def test_a_stack_of_existing_hosts_makes_nothing_in_proxmox(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hosts = {"web": {"existing": {"address": "192.168.1.20", "host_key": PUBLIC_KEY}}}
    program = run_program(stack(hosts, proxmox=None), monkeypatch)
    assert [r.name for r in program.recorded if not r.kind.startswith("berth:")] == []
