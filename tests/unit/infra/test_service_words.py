"""What a preview says of services, and what is said when a step could not begin."""

from typing import Any

import pytest

from infra.service_words import created, removed, updated
from infra.step_words import send_again, words


def document(**changes: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "service": "chat",
        "unit": "chat",
        "user": "chat",
        "root": "/opt/chat",
        "host": "192.168.1.5",
        "port": 8000,
        "archive": {"sha256": "1" * 64},
        "environment": {"sha256": "2" * 64},
        "env_file": {"text": '# berth: x\nA="1"\nKEY="hunter2"\n'},
        "units": {"chat.service": "one", "chat.socket": "two"},
        "health": {"path": "/healthz"},
        "secrets": ["hunter2"],
    } | changes


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "chat: asks whether all is as it should be; restarts nothing"),
        ({"archive": {"sha256": "3" * 64}}, "chat: restarts chat.service (new code)"),
        ({"environment": {"sha256": "3" * 64}},
         "chat: restarts chat.service (new Python environment)"),
        ({"env_file": {"text": 'A="2"\nB="1"\nKEY="hunter3"\n'}},
         "chat: restarts chat.service (environment A, B, KEY)"),
        ({"units": {"chat.service": "other", "chat.socket": "two"}},
         "chat: restarts chat.service (unit chat.service)"),
        ({"port": 8100}, ("chat: restarts chat.service (port 8000 -> 8100); nobody is answered "
         "from when the old port closes until it has started")),
        ({"units": {"chat.service": "one"}}, ("chat: restarts chat.service (unit chat.socket); a "
         "command of its own loses what uvicorn here has: its port is closed while it restarts, "
         "it counts as started before it is ready, and open requests are cut off")),
        ({"root": "/srv/chat"}, "chat: restarts chat.service (install path /opt/chat -> /srv/chat)"),
        ({"root": "/srv/chat", "server_only": [".env", "data"]},
         ("chat: restarts chat.service (install path /opt/chat -> /srv/chat); .env, data stay in "
          "/opt/chat: move what it needs to /srv/chat first")),
        ({"user": "web"}, ("chat: restarts chat.service (user chat -> web); files of chat stay "
          "that user's: give web what it needs")),
        ({"health": {"path": "/"}}, "chat: changes health; restarts nothing"),
    ],
)  # fmt: skip
def test_a_preview_says_what_restarts_and_why(changes: dict[str, Any], text: str) -> None:
    assert updated(document(), document(**changes)) == text


def test_a_first_deploy_of_a_command_of_its_own_says_what_it_loses() -> None:
    assert "its port is closed while it restarts" in created(document(units={"chat.service": "1"}))
    assert "loses" not in created(document())


def test_no_value_is_in_any_words() -> None:
    new = document(env_file={"text": 'KEY="hunter3"\n'}, secrets=["hunter3"])
    said = updated(document(), new) + created(new) + removed(new)
    assert "hunter" not in said


@pytest.mark.parametrize(
    ("error", "sign"),
    [
        ("after 10 failed attempts: ssh: handshake failed: ssh: host key mismatch",
         "pulumi up --replace '**::web-host-key'"),
        ("after 10 failed attempts: ssh: handshake failed: ssh: unable to authenticate",
         "does not let in the key"),
        ("after 10 failed attempts: dial tcp 10.0.0.1:22: i/o timeout", "cannot be reached"),
        ("wait: remote command exited without exit status or exit signal: running \"x\":\n",
         "the connection was lost while the step ran"),
        ('Process exited with status 124: running "x":\n', "took longer than its limit"),
        ('Process exited with status 1: running "sudo x":\nsudo: a password is required\n',
         "needs sudo without a password"),
    ],
)  # fmt: skip
def test_a_step_that_could_not_begin_is_told_with_what_to_do(error: str, sign: str) -> None:
    text = words("web", [error])
    assert text is not None
    assert sign in text


def test_a_host_without_its_guest_program_is_told_with_the_one_command_that_sends_it() -> None:
    text = words(
        "web", ['Process exited with status 91: running "sh":\n'], again=send_again("shop", "web")
    )
    assert text is not None
    assert text.endswith(
        "pulumi up --replace '**::web-guest' --replace '**::shop-archive' "
        "--replace '**::shop-deploy'"
    )


def test_a_step_that_told_its_trouble_itself_is_not_told_another() -> None:
    assert words("web", ['Process exited with status 1: running "x":\nEOF in line 3\n']) is None


def test_what_a_host_that_is_gone_keeps_from_being_removed_can_be_forgotten() -> None:
    errors = ["after 9 failed attempts: dial tcp 192.168.1.5:22: connect: no route to host"]
    said = words("chat", errors, removal="urn:pulumi:prod::berth::x::chat-disconnect") or ""
    assert said.endswith("pulumi state delete 'urn:pulumi:prod::berth::x::chat-disconnect'")
    assert "pulumi up" not in said
    assert "run `pulumi up` again" in (words("chat", errors) or "")
