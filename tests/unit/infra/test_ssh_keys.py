"""Keys that no host would let in are refused in words, and nothing else is printed."""

import warnings
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.unit.infra.recording import PRIVATE_KEY, SECRETS, errors_of, settings_of, stack


@pytest.fixture(scope="module")
def dsa_key() -> tuple[str, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        key = dsa.generate_private_key(1024)  # noqa: S505 (the only size that OpenSSH knew)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return private.decode(), public.decode()


def test_a_dsa_key_is_refused_without_warnings_of_a_library(dsa_key: tuple[str, str]) -> None:
    with warnings.catch_warnings(record=True) as printed:
        warnings.simplefilter("always")
        said = errors_of(stack(secrets=SECRETS | {"ssh-key": {"secure": dsa_key[0]}}))
    assert [str(one.message) for one in printed if "DSA" in str(one.message)] == []
    assert said == [
        (
            "secrets/ssh-key: is a DSA key, which OpenSSH takes no more; make one: "
            "ssh-keygen -t ed25519 -N '' -f KEYFILE"
        )
    ]


def test_a_dsa_key_of_somebody_else_would_let_nobody_in(dsa_key: tuple[str, str]) -> None:
    keys = {"private_key": "ssh-key", "authorized_keys": [f"{dsa_key[1]} me@home"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert errors_of(stack(ssh=keys)) == [
            (
                "ssh/authorized_keys/0: must be a key that OpenSSH takes, and DSA is taken no more; "
                "make one: ssh-keygen -t ed25519 -f KEYFILE"
            )
        ]


def test_a_file_with_a_byte_order_mark_is_read_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(PRIVATE_KEY, encoding="utf-8-sig")
    settings_of(stack(ssh=None), {"BERTH_SSH_PRIVATE_KEY_FILE": str(file)})


def test_a_byte_order_mark_in_a_stored_key_is_named() -> None:
    said = errors_of(stack(secrets=SECRETS | {"ssh-key": {"secure": "\ufeff" + PRIVATE_KEY}}))
    assert said == [
        (
            "secrets/ssh-key: begins with a byte order mark, which OpenSSH takes for a part of the "
            "key; store the file without it: tail -c +4 KEYFILE"
        )
    ]
