"""Host keys, dialling and the ways to log in: what is refused, when, and in which words."""

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from tests.unit.doubles.provider_client import COMMAND, Json, Plugin, create
from tests.unit.doubles.ssh_server import SshServer


def test_a_wrong_host_key_is_refused_before_anything_secret_is_sent(
    plugin: Plugin, ssh: SshServer
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    before = ssh.logins

    answer = create(plugin, ssh.connection(hostKey=other, password="p"), create="true")

    assert answer["error"].endswith("ssh: handshake failed: ssh: host key mismatch")
    assert ssh.logins == before


def test_each_dial_is_tried_again_up_to_the_limit(plugin: Plugin) -> None:
    answer = create(plugin, {"host": "127.0.0.1", "port": 1, "dialErrorLimit": 3}, create="true")

    assert answer["error"] == (
        "after 3 failed attempts: dial tcp 127.0.0.1:1: connect: connection refused"
    )
    assert [t for t in plugin.engine.texts() if "retrying" in t] == [
        f"Dial {n}/3 failed: retrying" for n in (1, 2, 3)
    ]


def test_a_time_limit_ends_endless_dialling(plugin: Plugin) -> None:
    answer = plugin.ask(
        "Create",
        urn=COMMAND,
        timeout=1,
        properties={
            "connection": {"host": "127.0.0.1", "port": 1, "dialErrorLimit": -1},
            "create": "true",
        },
    )

    assert answer == {"code": "DEADLINE_EXCEEDED", "error": "context deadline exceeded"}


@pytest.fixture
def with_password(tmp_path: Path) -> Iterator[SshServer]:
    server = SshServer(tmp_path, password="open sesame")
    server.start()
    yield server
    server.stop()


def test_a_password_logs_in(plugin: Plugin, with_password: SshServer) -> None:
    connection = with_password.connection(password="open sesame")
    del connection["privateKey"]

    assert create(plugin, connection, create="echo in")["properties"]["stdout"] == "in"


def test_a_wrong_password_is_named_among_the_ways_that_failed(
    plugin: Plugin, with_password: SshServer
) -> None:
    connection = with_password.connection(password="wrong")
    del connection["privateKey"]

    answer = create(plugin, connection, create="echo in")

    assert "attempted methods [none password" in answer["error"]
    assert "wrong" not in answer["error"]


@pytest.mark.parametrize(
    ("passphrase", "error"),
    [
        ("right", None),
        ("wrong", "x509: decryption password incorrect"),
        (None, "ssh: this private key is passphrase protected"),
    ],
)
def test_an_encrypted_key_needs_its_password(
    passphrase: str | None, error: str | None, plugin: Plugin, tmp_path: Path
) -> None:
    key = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    server = SshServer(tmp_path, user_key=key)
    server.start()
    encrypted = key.export_private_key("pkcs1-pem", passphrase="right").decode()
    given = {} if passphrase is None else {"privateKeyPassword": passphrase}

    answer = create(plugin, server.connection(privateKey=encrypted, **given), create="true")
    server.stop()

    assert answer.get("error") == error


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"privateKey": "garbage"}, "ssh: no key found"),
        ({"hostKey": "garbage"}, "failed to parse host key: ssh: no key found"),
        ({"privateKeyPassword": "x"}, "ssh: key is not password protected"),
        ({"agentSocketPath": "/none"}, "dial unix /none: connect: no such file or directory"),
    ],
)
def test_an_unusable_key_fails_without_a_connection(
    changed: Json, error: str, plugin: Plugin, ssh: SshServer
) -> None:
    before = ssh.logins

    assert create(plugin, ssh.connection(**changed), create="true")["error"] == error
    assert ssh.logins == before


def test_a_proxy_carries_the_connection_and_both_ends_are_logged_in_to(
    plugin: Plugin, ssh: SshServer, with_password: SshServer
) -> None:
    target = with_password.connection(
        hostKey=with_password.host_key_line,
        proxy=ssh.connection(hostKey=ssh.host_key_line),
    )
    before = ssh.logins, with_password.logins

    answer = create(plugin, target, create="echo through")

    assert answer["properties"]["stdout"] == "through"
    assert (ssh.logins, with_password.logins) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize(
    ("target", "proxy", "error"),
    [
        ({}, {"port": 1}, "dial tcp 127.0.0.1:1: connect: connection refused"),
        ({"port": 1}, {}, 'ssh: rejected: connect failed ("'),
        ({}, {"privateKey": "x"}, "proxy: ssh: no key found"),
    ],
)
def test_a_failure_on_the_way_names_the_proxy(
    target: Json, proxy: Json, error: str, plugin: Plugin, ssh: SshServer
) -> None:
    connection = ssh.connection(**target, proxy=ssh.connection(**proxy))

    answer = create(plugin, connection, create="true")

    assert answer["error"].startswith("proxy: ")
    assert error in answer["error"]
