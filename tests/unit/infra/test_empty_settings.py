"""What was left empty, or copied from elsewhere, is said for what it is."""

from typing import Any

import pytest

from tests.unit.infra.recording import (
    PRIVATE_KEY,
    TOKEN,
    container,
    errors_of,
    settings_of,
    stack,
)
from tests.unit.infra.test_schema import complaints


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"proxmox": ""}, "proxmox: is empty; take the line out, or give it keys"),
        ({"ssh": ""}, "ssh: is empty; take the line out, or give it keys"),
        ({"services": ""}, "services: is empty; take the line out, or give it keys"),
        ({"cloudflare": ""}, "cloudflare: is empty; take the line out, or give it keys"),
        ({"tailnet": ""}, "tailnet: is empty; take the line out, or give it keys"),
        ({"hosts": ""}, "hosts: is empty; give it keys"),
        ({"replace": ""}, "replace: is empty; take the line out, or write a list"),
        ({"remove": ""}, "remove: is empty; take the line out, or write a list"),
        ({"hosts": {"chat": None}}, "hosts/chat: is empty; take the line out, or give it keys"),
        ({"hosts": {"chat": {"container": None}}},
         "hosts/chat/container: is empty; take the line out, or give it keys"),
        ({"hosts": {"chat": {**container(), "existing": None}}},
         "hosts/chat/existing: is empty; take the line out, or give it keys"),
        ({"id": ""}, "id: is empty; for a new stack: berth:id: fresh123"),
        ({"id": "Prod"}, ("id: must be 8 characters of a-z and 0-9 that begin with a letter, got "
         '"Prod"; for a new stack: berth:id: fresh123')),
    ],
)  # fmt: skip
def test_a_key_with_nothing_below_is_one_line_that_says_so(keys: dict[str, Any], said: str) -> None:
    given = stack() | {f"berth:{key}": value for key, value in keys.items()}
    outside = {
        "PROXMOX_VE_ENDPOINT": "https://192.168.1.11:8006/",
        "PROXMOX_VE_API_TOKEN": TOKEN,
        "BERTH_SSH_PRIVATE_KEY": PRIVATE_KEY,
    }
    assert errors_of(given, outside) == [said]


def test_an_editor_marks_a_host_with_nothing_below_its_kind() -> None:
    secrets = {"ssh-key": {"secure": "v1:..."}}
    hosts = {"chat": {"container": None}}
    assert complaints({"config": stack(hosts, secrets=secrets)})


@pytest.mark.parametrize("address", ["192.168.1.111/024", "192.168.1.111/33", "192.168.1.111/7"])
def test_a_prefix_that_no_network_has_is_refused_here_and_in_an_editor(address: str) -> None:
    hosts = {"chat": container(address=address)}
    [line] = errors_of(stack(hosts))
    assert line.startswith("hosts/chat/container/address: must ")
    assert complaints({"config": stack(hosts, secrets={"ssh-key": {"secure": "v1:..."}})})


def test_a_part_of_a_name_that_is_too_long_is_told_how_long_it_may_be() -> None:
    assert errors_of(stack({"chat": container(hostname="a" * 64)})) == [
        (
            "hosts/chat/container/hostname: must be a DNS name, whose parts have up to 63 "
            f'characters each, got "{"a" * 56}...'
        )
    ]
    settings_of(stack({"chat": container(hostname="a" * 63)}))
