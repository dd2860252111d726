"""The copy differs from the stack file where it must, and nowhere else."""

import json
from typing import Any

import pytest
import yaml

from lab.stack.copy import LabSide, lab_copy
from tests.unit.stack.conftest import TOKEN, Decrypter

FULL = """\
# yaml-language-server: $schema=schema/berth.schema.json
secretsprovider: passphrase
encryptionsalt: v1:b2xkc2FsdA==:v1:AAAA:BBBB   # made by pulumi
config:
  berth:id: k7q2m9xw
  'berth:proxmox':
    endpoint: https://192.168.1.11:8006/
    api_token: proxmox-token
  berth:ssh: {private_key: "ssh-key", authorized_keys: []}
  berth:hosts:
    chat:
      container: {vm_id: 010, onboot: yes, address: 192.168.1.111/24}
  berth:secrets:
    proxmox-token: {secure: v1:one:FIRSTOFTHEUSER}
    ssh-key:
      secure: "v1:two:SECONDOFTHEUSER"
    cloud: {"secure": 'v1:three:THIRDOFTHEUSER'}   # kept comment
    other:
        secure:   v1:four:FOURTHOFTHEUSER
"""


def secrets_of(content: bytes, decrypt: Decrypter) -> dict[str, str]:
    entries = yaml.safe_load(content)["config"]["berth:secrets"]
    return {name: decrypt(entry["secure"]) for name, entry in entries.items()}


def test_each_secret_gets_the_value_of_its_role(side: LabSide, decrypt: Decrypter) -> None:
    values = secrets_of(lab_copy(FULL.encode(), side).content, decrypt)
    assert values["proxmox-token"] == TOKEN
    assert values["ssh-key"] == "-----BEGIN KEY-----\nabc\n"
    assert values["cloud"] == "from the world"
    assert len(values["other"]) == 32


def test_text_beside_the_exchanged_values_is_the_same_to_the_byte(side: LabSide) -> None:
    copied = lab_copy(FULL.encode(), side).content.decode()
    changed = [
        (old, new)
        for old, new in zip(FULL.splitlines(), copied.splitlines(), strict=True)
        if old != new
    ]
    assert [old.split("v1:")[0] for old, _ in changed] == [
        "secretsprovider: passphrase",
        "encryptionsalt: ",
        "    proxmox-token: {secure: ",
        '      secure: "',
        '    cloud: {"secure": \'',
        "        secure:   ",
    ]
    assert changed[0][1] == 'secretsprovider: ""'
    assert changed[1][1] == f"encryptionsalt: {side.passphrase.salt}   # made by pulumi"
    assert changed[4][1].endswith("'}   # kept comment")
    for old, new in changed[1:]:
        assert new.startswith(old.split("v1:")[0])


def test_no_secret_of_the_user_is_left_in_the_copy(side: LabSide) -> None:
    copied = lab_copy(FULL.encode(), side).content
    for word in (b"OFTHEUSER", b"b2xkc2FsdA=="):
        assert word not in copied


def test_a_throw_away_value_is_the_same_in_every_copy(side: LabSide, decrypt: Decrypter) -> None:
    first, second = (
        secrets_of(lab_copy(FULL.encode(), side).content, decrypt)["other"] for _ in "ab"
    )
    assert first == second != side.passphrase.throw_away("another")


@pytest.mark.parametrize(
    "endpoint",
    ["https://192.168.1.11:8006/", "https://192.168.1.11:8006", "https://PVE.home.example:8006/"],
)
def test_an_endpoint_that_the_lab_really_has_stays(side: LabSide, endpoint: str) -> None:
    text = f"encryptionsalt: x\nconfig:\n  berth:proxmox:\n    endpoint: {endpoint}\n"
    assert yaml.safe_load(lab_copy(text.encode(), side).content)["config"] == {
        "berth:proxmox": {"endpoint": endpoint}
    }


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://192.168.1.12:8006/",
        "https://192.168.1.11/",
        "https://192.168.1.11:8007/",
        "http://192.168.1.11:8006/",
        "https://[bad",
        "nonsense",
    ],
)
def test_an_endpoint_outside_the_lab_is_never_reached(side: LabSide, endpoint: str) -> None:
    text = f"config:\n  berth:proxmox: {{endpoint: '{endpoint}', insecure: true}}\n"
    config = yaml.safe_load(lab_copy(text.encode(), side).content)["config"]
    assert config == {"berth:proxmox": {"endpoint": "https://192.168.1.11:8006/", "insecure": True}}


@pytest.mark.parametrize(("user", "kept"), [("root@pam", True), ("me@ad", False)])
def test_a_login_gets_the_password_of_the_user_that_the_copy_names(
    side: LabSide, decrypt: Decrypter, user: str, *, kept: bool
) -> None:
    text = (
        f"config:\n  berth:proxmox: {{username: {user}, password: pw}}\n"
        "  berth:secrets: {pw: {secure: v1:a:b}}\n"
    )
    config = yaml.safe_load(lab_copy(text.encode(), side).content)["config"]
    assert config["berth:proxmox"]["username"] == (user if kept else "root@pam")
    assert decrypt(config["berth:secrets"]["pw"]["secure"]) == "password of root@pam"


def test_a_secret_outside_its_place_is_exchanged_too(side: LabSide, decrypt: Decrypter) -> None:
    text = "config:\n  berth:hosts: {chat: {list: [{secure: v1:a:b}, {secure: v1:c:d}]}}\n"
    config = yaml.safe_load(lab_copy(text.encode(), side).content)["config"]
    first, second = config["berth:hosts"]["chat"]["list"]
    assert decrypt(first["secure"]) != decrypt(second["secure"])


def test_all_secrets_in_one_encrypted_object_stay_one(side: LabSide, decrypt: Decrypter) -> None:
    text = "config:\n  berth:proxmox: {api_token: token}\n  berth:secrets:\n    secure: v1:a:b\n"
    entry = yaml.safe_load(lab_copy(text.encode(), side).content)["config"]["berth:secrets"]
    assert json.loads(decrypt(entry["secure"])) == {"token": TOKEN, "cloud": "from the world"}


@pytest.mark.parametrize(
    "text",
    [
        "config: {a: {secure: true}}",
        "config: {a: {secure: 12}}",
        "config: {a: {secure: [x]}}",
        "config: {a: {secure: x, more: y}}",
        "config: {a: {secure: }}",
    ],
)
def test_a_setting_that_only_looks_like_a_secret_stays(side: LabSide, text: str) -> None:
    before, after = yaml.safe_load(text), yaml.safe_load(lab_copy(text.encode(), side).content)
    assert after.pop("encryptionsalt") == side.passphrase.salt
    assert after == before


AWKWARD = {
    "anchor and alias": "config:\n  a: &a {secure: v1:a:b}\n  b: *a\n",
    "alias as value": "x: &v v1:a:b\nconfig:\n  a: {secure: *v }\n",
    "anchored value": "config:\n  a: {secure: &v v1:a:b}\n",
    "tagged value": "config:\n  a: {secure: !!str v1:a:b}\n",
    "literal block": "config:\n  a:\n    secure: |\n      v1:a:b\n  b: 1 # one\n",
    "folded block": "config:\n  a:\n    secure: >-\n      v1:a:b\n\n# end\n  b: 1\n",
    "merge key": "x: &s {secure: v1:a:b}\nconfig:\n  a: {<<: *s}\n  n: 010\n",
    "windows line ends": "config:\r\n  a: {secure: v1:a:b}\r\n  b: |\r\n    x\r\n",
    "byte order mark": "\ufeffconfig:\n  a: {secure: v1:a:b}\n",
    "no final newline": "config:\n  a: {secure: v1:a:b}\n  b: |\n    text",
    "indented": "  config:\n    a: {secure: v1:a:b}\n  other: 1",
    "flow": "{config: {a: {secure: 'v1:a:b'}}, z: 1}",
    "json": '{"config": {"a": {"secure":"v1:a:b"}}}\n',
    "document marks": "%YAML 1.1\n---\nconfig:\n  a: {secure: v1:a:b}\n...\n",
    "two documents": "config:\n  a: {secure: v1:a:b}\n---\nconfig: {}\n",
    "comments at the end": "config:\n  a: {secure: v1:a:b}\n\n# the end\n  # really\n",
    "keep": "config:\n  a: {secure: v1:a:b}\n  b: |+\n    text\n\n\n",
    "unicode": "config:\n  ключ: {secure: v1:a:b}\n  b: 🚀\n",
    "quoted keys": '"config":\n  \'a\': {"secure": v1:a:b}\n',
    "explicit keys": "? config\n: a: {secure: v1:a:b}\n",
    "tabs between words": "config:\t# all\n  a:\t{secure:\tv1:a:b}\t\n  n:\t010\t# c\n",
    "salt is null": "encryptionsalt:\nconfig:\n  a: {secure: v1:a:b}\n",
    "keys of a cloud": "secretsprovider: gcpkms://x\nencryptedkey: abc= # k\nconfig: {}\n",
}
_FREE = {"encryptionsalt", "encryptedkey", "secretsprovider"}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return "a secret"
        return {k: _without_secrets(v) for k, v in value.items()}
    return [_without_secrets(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD.keys())
def test_an_awkward_file_differs_in_nothing_else(
    side: LabSide, decrypt: Decrypter, text: str
) -> None:
    copied = lab_copy(text.encode(), side).content.decode()
    spaced = [t.replace("\t", " ") for t in (text, copied)]
    before, after = (next(iter(yaml.safe_load_all(t))) for t in spaced)
    assert after["encryptionsalt"] == side.passphrase.salt
    assert {k: v for k, v in _without_secrets(after).items() if k not in _FREE | {"x"}} == {
        k: v for k, v in _without_secrets(before).items() if k not in _FREE | {"x"}
    }
    assert not after.get("encryptedkey")
    assert not after.get("secretsprovider")
    assert "\r" not in copied.replace("\r\n", "")
    assert ("\r\n" in copied) == ("\r\n" in text)
    assert ("\n" in copied.replace("\r\n", "")) == ("\n" in text.replace("\r\n", ""))
    for entry in after.get("config", {}).values():
        if isinstance(entry, dict):
            decrypt(entry["secure"].strip())


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "# nothing yet", "---\n", "\ufeff"])
def test_an_empty_file_gets_only_the_salt(side: LabSide, text: str) -> None:
    copied = lab_copy(text.encode(), side).content.decode()
    assert copied.startswith(text)
    assert yaml.safe_load(copied) == {"encryptionsalt": side.passphrase.salt}


@pytest.mark.parametrize(
    "content",
    [
        b"config: [",
        b"config:\n\t- x",
        b"a: *nobody\n",
        b"\xff\xfe\x00",
        b"- a\n- b\n",
        b"word\n",
        b"config: " + b"[" * 3000 + b"]" * 3000,
    ],
    ids=lambda content: content[:12],
)
def test_what_the_engine_will_refuse_reaches_it_as_it_is(side: LabSide, content: bytes) -> None:
    assert lab_copy(content, side).content == content


def test_the_engine_names_the_lines_of_the_file(side: LabSide) -> None:
    text = "config:\n  a: 1\n"
    assert lab_copy(text.encode(), side).content.decode().startswith(text)
