"""cloudflared on a host: installed from one key's packages, started once, removed without a trace."""

import hashlib
import stat
from typing import Any

import pytest

from infra.guest import connector, openpgp
from infra.guest.connector_document import read_connect, read_disconnect
from infra.guest.failure import BadDocument, StepFailed
from infra.guest.report import Report
from tests.unit.guest.conftest import Box

TOKEN = "t0ken-never-shown"
OWNER = "berth/test/tunnel/k7q2m9xw"


def packet(content: bytes) -> bytes:
    """A public key packet, old form, with a length of two bytes: what is hashed is what is sent."""
    body = b"\x04" + content
    return b"\x99" + len(body).to_bytes(2, "big") + body


KEY, OTHER = packet(b"the key"), packet(b"another key")
USER_ID = b"\xb4\x04name"
FINGERPRINT = hashlib.sha1(KEY, usedforsecurity=False).hexdigest().upper()


def document(box: Box, **changes: Any) -> dict[str, Any]:
    package = {
        "name": "cloudflared",
        "key_url": f"http://127.0.0.1:{box.answer.server_port}/ring.gpg",
        "fingerprint": FINGERPRINT,
        "ring": "/usr/share/keyrings/cloudflare-main.gpg",
        "list": "/etc/apt/sources.list.d/cloudflared.list",
        "source": "deb [signed-by=RING] https://packages.example/cloudflared any main\n",
    }
    return {
        "format": 1,
        "unit": "cloudflared",
        "owner": OWNER,
        "user": "cloudflared",
        "token_file": "/etc/cloudflared/token",
        "token": TOKEN,
        "service": f"# berth: {OWNER}\n[Service]\n[Install]\n",
        "start_limit_s": 1,
        "package": package,
        "secrets": [TOKEN],
        "lock_limit_s": 0.3,
        **changes,
    }


def connect(box: Box, **changes: Any) -> dict[str, Any]:
    given = read_connect(document(box, **changes))
    return connector.connect(given, box.host, Report(given.secrets, box.said))


def disconnect(box: Box) -> dict[str, Any]:
    given = read_disconnect(document(box))
    return connector.disconnect(given, box.host, Report([], box.said))


@pytest.fixture
def ready(box: Box) -> Box:
    """The packages' key is served, beside another one."""
    box.answer.body = OTHER + USER_ID + KEY + USER_ID
    return box


def test_only_the_key_that_is_expected_may_sign_packages(ready: Box) -> None:
    assert connect(ready)["changed"] == [
        "package cloudflared", "user cloudflared", "token", "cloudflared.service", "enabled",
        "started",
    ]  # fmt: skip
    ring = ready.at("/usr/share/keyrings/cloudflare-main.gpg").read_bytes()
    assert ring == KEY + USER_ID


@pytest.mark.parametrize("body", [OTHER + USER_ID, b"no ring at all", b"", KEY[:-1]])
def test_another_key_installs_nothing(ready: Box, body: bytes) -> None:
    ready.answer.body = body
    with pytest.raises(StepFailed, match=r"has no key|is no ring"):
        connect(ready)
    assert not ready.calls("apt-get") or "cloudflared" not in " ".join(ready.calls("apt-get"))
    assert not ready.at("/etc/apt/sources.list.d/cloudflared.list").exists()
    assert not ready.at("/etc/cloudflared/token").exists()


def test_one_that_is_installed_is_used_as_it_is(ready: Box) -> None:
    ready.doubles.installed.append("cloudflared")
    connect(ready)
    assert ready.answer.asked == 0
    assert ready.calls("apt-get") == []


def test_the_token_is_readable_by_nobody_else(ready: Box) -> None:
    connect(ready)
    status = ready.at("/etc/cloudflared/token").stat()
    assert stat.S_IMODE(status.st_mode) == 0o400
    assert TOKEN not in ready.said.getvalue()


def test_one_that_is_as_it_should_be_is_not_disturbed(ready: Box) -> None:
    ready.doubles.installed.append("cloudflared")
    connect(ready)
    before = ready.files()
    ready.forget()
    assert connect(ready)["result"] == "unchanged"
    assert ready.calls() == []
    assert ready.files() == before


def test_a_new_token_starts_it_anew(ready: Box) -> None:
    ready.doubles.installed.append("cloudflared")
    connect(ready)
    ready.forget()
    assert connect(ready, token="an0ther")["changed"] == ["token", "restarted"]
    assert ready.calls("systemctl restart") == ["systemctl restart cloudflared.service"]


@pytest.mark.parametrize(
    ("name", "other"), [("cloudflared", "cloudflared-2"), ("cloudflared-2", "cloudflared-3")]
)
def test_a_unit_of_somebody_else_is_left_alone(ready: Box, name: str, other: str) -> None:
    ready.doubles.installed.append("cloudflared")
    unit = ready.at(f"/etc/systemd/system/{name}.service")
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text("[Service]\nExecStart=theirs\n")
    with pytest.raises(StepFailed, match="was not made by berth") as refused:
        connect(ready, unit=name)
    assert refused.value.remedy == (
        f"set cloudflare/connector/unit to another name, such as {other}, "
        "or remove that one by hand"
    )
    assert unit.read_text() == "[Service]\nExecStart=theirs\n"
    assert ready.calls() == []


def test_the_name_of_another_stacks_connector_is_answered_with_one_that_is_allowed(
    ready: Box,
) -> None:
    ready.doubles.installed.append("cloudflared")
    connect(ready, unit="cloudflared-b2", owner="berth/other/tunnel/aaaaaaaa")
    with pytest.raises(StepFailed, match="belongs to berth/other") as refused:
        connect(ready, unit="cloudflared-b2")
    assert refused.value.remedy.endswith("such as cloudflared-2")


def test_one_that_does_not_connect_says_what_its_journal_says(ready: Box) -> None:
    ready.doubles.installed.append("cloudflared")
    ready.doubles.fail.append("systemctl restart cloudflared.service")
    with pytest.raises(StepFailed) as failed:
        connect(ready)
    assert "has not connected within 1 s" in failed.value.text()
    assert "a double's line of the journal" in failed.value.text()


def test_nothing_of_ours_is_left_and_twice_is_no_error(ready: Box) -> None:
    ready.doubles.installed.append("cloudflared")
    connect(ready)
    assert disconnect(ready)["result"] == "removed"
    for path in ("/etc/cloudflared", "/etc/systemd/system/cloudflared.service", "/var/lib/berth"):
        assert not ready.at(path).exists()
    assert disconnect(ready)["result"] == "absent"


def test_a_service_that_goes_leaves_the_connector_what_it_needs(ready: Box) -> None:
    ready.doubles.installed.append("cloudflared")
    ready.answer.body = b'{"status": "ok"}'
    ready.deploy()
    connect(ready)
    guest = ready.at("/var/lib/berth/guest/program.pyz")
    guest.parent.mkdir(parents=True, exist_ok=True)
    guest.touch()
    ready.remove()
    assert guest.exists()
    disconnect(ready)
    assert not guest.exists()


def test_a_document_that_lacks_something_changes_nothing(box: Box) -> None:
    given = document(box)
    del given["token"]
    with pytest.raises(BadDocument, match="token missing"):
        read_connect(given)


def test_a_ring_in_armour_is_read_as_well() -> None:
    import base64

    text = base64.b64encode(KEY + USER_ID).decode()
    armour = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n\n{text}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
    assert openpgp.keys(armour.encode()) == {FINGERPRINT: KEY + USER_ID}
