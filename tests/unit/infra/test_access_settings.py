"""Credentials, keys and host keys: what is wrong is told, and never shown."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPO
from tests.unit.infra.recording import (
    PRIVATE_KEY,
    PUBLIC_KEY,
    TOKEN,
    config_of,
    container,
    errors_of,
    settings_of,
    stack,
)


def chat(**changes: object) -> dict[str, object]:
    return stack({"chat": container(**changes)})


@pytest.mark.parametrize(
    ("keys", "environment", "problem"),
    [
        (
            {"proxmox": {"api_token": "proxmox-token"}},
            {},
            ("proxmox/endpoint: missing; give the address of the Proxmox API, such as "
            "https://192.168.1.11:8006/, or set PROXMOX_VE_ENDPOINT"),
        ),
        (
            {},
            {"PROXMOX_VE_ENDPOINT": "https://pve:8006"},
            ("proxmox/endpoint: is https://192.168.1.11:8006/, but PROXMOX_VE_ENDPOINT in the "
            "environment is https://pve:8006/; unset one of them"),
        ),
        (
            {},
            {"PROXMOX_VE_API_TOKEN": TOKEN.replace("0", "1")},
            ("proxmox/api_token: proxmox-token of berth:secrets and PROXMOX_VE_API_TOKEN in the "
            "environment differ; unset one of them"),
        ),
        (
            {"proxmox": {"endpoint": "https://pve:8006/"}},
            {},
            ("proxmox/api_token: missing; make a token (docs/proxmox.md), store it: pulumi config "
            "set --secret --path 'berth:secrets.proxmox-token', and write proxmox-token here; or "
            "set PROXMOX_VE_API_TOKEN"),
        ),
        (
            {"proxmox": {"endpoint": "https://pve:8006/", "username": "root@pam",
                         "password": "proxmox-token"}},
            {"PROXMOX_VE_API_TOKEN": TOKEN},
            ("proxmox/username: root@pam logs in with a password, but PROXMOX_VE_API_TOKEN in the "
            "environment would be used instead; unset it"),
        ),
        (
            {"proxmox": {"endpoint": "https://pve:8006/", "username": "root@pam"}},
            {},
            ("proxmox/password: missing; name the entry of berth:secrets that holds the password "
            "of root@pam, or set PROXMOX_VE_PASSWORD"),
        ),
        (
            {"proxmox": {"endpoint": "https://pve:8006/", "api_token": "proxmox-token",
                         "insecure": False}},
            {"PROXMOX_VE_INSECURE": "true"},
            ("proxmox/insecure: is false, but PROXMOX_VE_INSECURE in the environment is true; "
            "unset one of them"),
        ),
        (
            {"proxmox": {"endpoint": "http://pve:8006/", "api_token": "proxmox-token"}},
            {},
            ("proxmox/endpoint: must begin with https://, since Proxmox answers nothing else, "
            'got "http://pve:8006/"'),
        ),
        (
            {"proxmox": {"endpoint": "https://192.168. 1.11:8006/", "api_token": "proxmox-token"}},
            {},
            ("proxmox/endpoint: must be the address of the Proxmox API, such as "
            'https://192.168.1.11:8006/, got "https://192.168. 1.11:8006/"'),
        ),
        (
            {"ssh": {"private_key": "ssh-key"}},
            {"BERTH_SSH_PRIVATE_KEY_FILE": "~nobody-of-this-name/key"},
            ("BERTH_SSH_PRIVATE_KEY_FILE: cannot read ~nobody-of-this-name/key: "
            "No such file or directory"),
        ),
        (
            {"proxmox": {"endpoint": "https://pve:8006/", "api_token": "other"}},
            {},
            ("proxmox/api_token: other is no entry of berth:secrets; add it: "
            "pulumi config set --secret --path 'berth:secrets.other'"),
        ),
        (
            {"proxmox": {"endpoint": "https://pve:8006/", "api_token": TOKEN}},
            {},
            ("proxmox/api_token: must be the name of an entry of berth:secrets (A-Z, a-z, 0-9, _ "
            "and -), never the secret itself"),
        ),
        (
            {"remove": ["chat"]},
            {},
            "remove/0: chat is still one of hosts; take it out there to remove it, or out of here",
        ),
    ],
)  # fmt: skip
def test_doubtful_credentials_are_refused_and_both_places_named(
    keys: dict[str, Any], environment: dict[str, str], problem: str
) -> None:
    assert errors_of(stack(**keys), environment) == [problem]


def test_the_environment_fills_what_the_stack_file_leaves_open(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(PRIVATE_KEY)
    settings = settings_of(
        stack(proxmox=None, ssh=None, secrets=None),
        {
            "PROXMOX_VE_ENDPOINT": "https://pve:8006/",
            "PROXMOX_VE_API_TOKEN": TOKEN,
            "BERTH_SSH_PRIVATE_KEY_FILE": str(key),
        },
    )
    assert settings.proxmox is not None
    assert settings.proxmox.endpoint == "https://pve:8006/"
    assert settings.ssh.public_keys == (PUBLIC_KEY,)


def test_insecure_is_said_at_each_preview() -> None:
    proxmox = {"endpoint": "https://pve:8006/", "api_token": "proxmox-token", "insecure": True}
    assert settings_of(stack(proxmox=proxmox)).warnings == (
        (
            "proxmox/insecure: the certificate of https://pve:8006/ is not checked, so anyone in "
            "between can read the credentials; add the node's CA to this machine's trust instead "
            "(docs/proxmox.md)"
        ),
    )


def test_a_permission_to_replace_that_is_left_in_the_file_is_said() -> None:
    assert settings_of(stack(replace=["chat"])).warnings == (
        "replace: allows to destroy chat and to make it anew; take chat out once that is done",
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            "not a key",
            (
                "is no OpenSSH private key; make one: ssh-keygen -t ed25519 -N '' -f KEYFILE, or "
                "convert an older form: ssh-keygen -p -N '' -f KEYFILE"
            ),
        ),
        (
            PRIVATE_KEY.replace("\n", " "),
            (
                "does not parse as an OpenSSH private key; store the whole file: "
                "pulumi config set --secret --path 'berth:secrets.NAME' < KEYFILE"
            ),
        ),
        (
            PRIVATE_KEY[:200],
            (
                "does not parse as an OpenSSH private key; store the whole file: "
                "pulumi config set --secret --path 'berth:secrets.NAME' < KEYFILE"
            ),
        ),
    ],
)
def test_a_key_that_does_not_parse_is_refused_and_not_shown(value: str, said: str) -> None:
    secrets = {"proxmox-token": {"secure": TOKEN}, "ssh-key": {"secure": value}}
    assert errors_of(stack(secrets=secrets)) == [f"secrets/ssh-key: {said}"]


def test_an_encrypted_key_is_refused_with_the_way_to_decrypt_it(encrypted_key: str) -> None:
    secrets = {"proxmox-token": {"secure": TOKEN}, "ssh-key": {"secure": encrypted_key}}
    assert errors_of(stack(secrets=secrets)) == [
        (
            "secrets/ssh-key: is encrypted with a passphrase, which nobody can type here; "
            "take it off a copy: ssh-keygen -p -N '' -f COPY"
        )
    ]


def test_a_private_key_among_the_public_ones_is_refused_and_not_shown() -> None:
    problems = errors_of(stack(ssh={"private_key": "ssh-key", "authorized_keys": [PRIVATE_KEY]}))
    assert problems == [
        (
            "ssh/authorized_keys/0: must be a public key; this is a private one, which belongs "
            "nowhere here"
        )
    ]


def test_every_public_key_that_is_none_is_told_whatever_else_is_in_the_list() -> None:
    keys = ["ssh-ed25519 AAAA", PUBLIC_KEY, None, 5]
    problems = errors_of(stack(ssh={"private_key": "ssh-key", "authorized_keys": keys}))
    assert [p.partition(": must be one OpenSSH public key")[0] for p in problems] == [
        f"ssh/authorized_keys/{index}" for index in (0, 2, 3)
    ]


def test_an_existing_host_without_a_known_key_is_refused() -> None:
    assert errors_of(stack({"web": {"existing": {"address": "192.168.1.20"}}})) == [
        (
            "hosts/web/existing/host_key: missing; state the public host key of 192.168.1.20 "
            "(on the host: cat /etc/ssh/ssh_host_ed25519_key.pub); or name a known_hosts file in "
            "BERTH_KNOWN_HOSTS"
        )
    ]


@pytest.mark.parametrize(
    "line",
    [
        "[192.168.1.20]:2222 {key}",
        "web.example,[192.168.1.20]:2222 {key} comment",
        "|1|g403zqVzEBYsk2bvSWpnX/oIKhU=|aTK9tfPd07AETBqnIEdz9Bm64e4= {key}",
    ],
)
def test_a_host_key_is_looked_up_in_known_hosts(tmp_path: Path, line: str) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"# comment\n@revoked * {PUBLIC_KEY}\n{line.format(key=PUBLIC_KEY)}\n")
    hosts = {"web": {"existing": {"address": "192.168.1.20", "port": 2222}}}
    settings = settings_of(stack(hosts), {"BERTH_KNOWN_HOSTS": str(known)})
    assert settings.existing["web"].host_key == PUBLIC_KEY


def test_the_committed_placeholders_are_refused_by_name() -> None:
    config = config_of(REPO / "Pulumi.prod.yaml")
    config["berth:secrets"] = {
        "proxmox-token": {"secure": "replace me"},
        "ssh-key": {"secure": "replace me"},
        "cloudflare-token": {"secure": "replace me"},
        "tailscale-key": {"secure": "replace me"},
    }
    config["berth:hosts"]["pve"]["existing"]["host_key"] = PUBLIC_KEY
    assert [problem.partition(":")[0] for problem in errors_of(config)] == [
        "secrets/cloudflare-token",
        "secrets/proxmox-token",
        "secrets/ssh-key",
        "secrets/tailscale-key",
    ]


def test_settings_of_the_provider_in_its_own_namespace_are_refused() -> None:
    config = stack() | {"proxmoxve:endpoint": "https://elsewhere:8006/"}
    assert errors_of(config) == [
        "proxmoxve:endpoint: is not read; the provider gets its settings from berth:proxmox"
    ]


def test_two_hosts_cannot_download_different_files_to_one_place() -> None:
    template = {"url": "https://example.org/debian-13.tar.zst", "checksum": "a" * 64}
    hosts = {
        "chat": container(template=template),
        "web": container(
            vm_id=112, address="192.168.1.112/24", template=template | {"checksum": "b" * 64}
        ),
    }
    assert errors_of(stack(hosts)) == [
        (
            "hosts/web/container/template: debian-13.tar.zst on storage local is downloaded for chat "
            "from elsewhere, or with another checksum; say the same, or give it a file_name of its own"
        )
    ]


def test_a_stack_of_existing_hosts_needs_no_proxmox() -> None:
    hosts = {"web": {"existing": {"address": "192.168.1.20", "host_key": PUBLIC_KEY}}}
    assert settings_of(stack(hosts, proxmox=None)).proxmox is None


def test_two_lines_are_not_one_public_key() -> None:
    keys = [f"{PUBLIC_KEY}\n{PUBLIC_KEY}"]
    problems = errors_of(stack(ssh={"private_key": "ssh-key", "authorized_keys": keys}))
    assert [p.partition(":")[0] for p in problems] == ["ssh/authorized_keys/0"]
