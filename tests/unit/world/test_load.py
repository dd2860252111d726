"""A world file with mistakes makes no lab, and all of them are said at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.errors import LabError
from lab.world import DEFAULT_WORLD, load_world


def said(tmp_path: Path, text: str) -> list[str]:
    """The lines of the refusal, without the file's name."""
    file = tmp_path / "world.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LabError) as refused:
        load_world(file)
    lines = str(refused.value).splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines)
    return [line.removeprefix(f"{file}: ") for line in lines]


@pytest.fixture
def usual() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    return document


def test_names_that_nothing_defines_are_said_beside_keys_that_nobody_knows(
    tmp_path: Path, usual: dict[str, Any]
) -> None:
    usual["colour"] = "blue"
    usual["proxmox"]["node"]["sockets"] = 2
    usual["hosts"]["homebot"]["bridge"] = "vmbr9"
    usual["stack"]["api_token"] = "nobody@pve!none"
    assert said(tmp_path, yaml.safe_dump(usual)) == [
        "proxmox/node/sockets: is no key of a world file; remove it or mend its spelling",
        "colour: is no key of a world file; remove it or mend its spelling",
        "hosts/homebot/bridge: vmbr9 is not one of proxmox/bridges",
        "stack/api_token: nobody@pve!none is no token of proxmox/users",
    ]


def test_a_key_that_is_there_twice_does_not_hide_the_first_one(tmp_path: Path) -> None:
    text = DEFAULT_WORLD.read_text(encoding="utf-8")
    line = text.count("\n") + 1
    assert said(tmp_path, f"{text}hosts: {{}}\n") == [
        f"hosts: is there twice, again in line {line}; keep one of them"
    ]


def test_machines_that_could_reach_nothing_are_refused(
    tmp_path: Path, usual: dict[str, Any]
) -> None:
    hosts = usual["hosts"]
    hosts["homebot"]["gateway"] = "10.10.0.1"
    hosts["autobot"]["gateway"] = hosts["autobot"]["address"].partition("/")[0]
    hosts["autobot-probe"]["address"] = "172.16.168.1/24"
    hosts["chat-server"]["address"] = "10.10.0.255/24"
    hosts["pve"] = {**hosts["homebot"], "address": "192.168.200.9/24", "gateway": "192.168.200.1"}
    assert said(tmp_path, yaml.safe_dump(usual, sort_keys=False)) == [
        "hosts/homebot/gateway: 10.10.0.1 is not in the network of 192.168.200.37/24",
        "hosts/autobot/gateway: 172.16.168.20 is the machine itself",
        "hosts/autobot-probe/address: 172.16.168.1 is a router of proxmox/bridges/vmbr0 already",
        "hosts/autobot-probe/gateway: 172.16.168.1 is the machine itself",
        "hosts/chat-server/address: 10.10.0.255/24 is the network's own, no machine's",
        "hosts/pve: is the name of the node already",
    ]


def test_a_router_or_a_network_in_two_places_is_refused(
    tmp_path: Path, usual: dict[str, Any]
) -> None:
    usual["proxmox"]["bridges"]["vmbr8"] = {
        "routers": ["192.168.1.1/25", "10.10.0.2/24"],
        "vlans": {20: ["127.0.0.1/24"]},
    }
    assert said(tmp_path, yaml.safe_dump(usual, sort_keys=False)) == [
        "proxmox/bridges/vmbr8: the router 192.168.1.1/25 is one of proxmox/bridges/vmbr0 already",
        (
            "proxmox/bridges/vmbr8: the network of 10.10.0.2/24 is that of 10.10.0.1/24 in "
            "proxmox/bridges/vmbr0 already"
        ),
        (
            "proxmox/bridges/vmbr8/vlans/20: the router 127.0.0.1/24: 127.0.0.1 is an address that "
            "no machine in a network can have"
        ),
    ]


def test_rights_that_would_silently_be_none_are_refused(
    tmp_path: Path, usual: dict[str, Any]
) -> None:
    proxmox = usual["proxmox"]
    proxmox["roles"] |= {"Odd": ["VM.Fly"], "PVEAdmin": ["VM.Audit"]}
    proxmox["acl"] += [{"path": "/vms", "subject": "berth@pve", "role": "PVEPilot"}]
    proxmox["guests"] = [{"vm_id": 100, "name": "one"}, {"vm_id": 100, "name": "two"}]
    proxmox["pools"] = ["a", "a", "b/c"]
    proxmox["templates"] += proxmox["templates"][:1]
    assert said(tmp_path, yaml.safe_dump(usual, sort_keys=False)) == [
        "proxmox/guests: the id 100 is used twice",
        "proxmox/pools: a is there twice",
        "proxmox/pools: b/c is in b, which is not one of them",
        (
            "proxmox/templates/3/volume: local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst "
            "is there twice"
        ),
        "proxmox/roles/Odd: Proxmox has no privilege VM.Fly",
        "proxmox/roles/PVEAdmin: is built in and cannot be another; give yours a name",
        "proxmox/acl/2/role: PVEPilot is not one of proxmox/roles, nor built in",
    ]


def test_a_path_of_the_access_list_may_end_with_a_slash(
    tmp_path: Path, usual: dict[str, Any]
) -> None:
    usual["proxmox"]["acl"][0]["path"] = "/vms//111/"
    file = tmp_path / "world.yaml"
    file.write_text(yaml.safe_dump(usual), encoding="utf-8")
    assert load_world(file).proxmox.acl[0].path == "/vms/111"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- 1\n", "is no mapping of keys; `lab world` prints the default to start from"),
        ("", "is empty; `lab world` prints the default to start from"),
        ("# nothing\n", "is empty; `lab world` prints the default to start from"),
    ],
)
def test_what_is_no_world_at_all_is_told_where_to_start(
    tmp_path: Path, text: str, line: str
) -> None:
    assert said(tmp_path, text) == [line]
