"""A lab's side of a stack file, with values that the tests recognise, and the way back."""

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lab.stack.copy import LabSide
from lab.stack.passphrase import Passphrase, lab_passphrase
from tests.unit.stack.clouds import CLOUDS

TOKEN = "berth@pve!deploy=11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="session")
def passphrase(tmp_path_factory: pytest.TempPathFactory) -> Passphrase:
    return lab_passphrase(tmp_path_factory.mktemp("lab") / "passphrase.json")


@pytest.fixture(scope="session")
def side(passphrase: Passphrase) -> LabSide:
    return LabSide(
        passphrase=passphrase,
        endpoint="https://192.168.1.11:8006/",
        answers_at={("192.168.1.11", 8006), ("pve.home.example", 8006)},
        users={"root@pam", "berth@pve"},
        login="root@pam",
        api_token=lambda: TOKEN,
        password=lambda user: f"password of {user}",
        private_key=lambda: "-----BEGIN KEY-----\nabc\n",
        connector_key=lambda: "F00D" * 10,
        clouds=CLOUDS,
        secrets={"cloud": "from the world"},
    )


class Decrypter:
    """Reads what Pulumi would read, from the passphrase and the salt line alone."""

    def __init__(self, phrase: str, salt_line: str) -> None:
        version, salt, check = salt_line.split(":", 2)
        assert version == "v1"
        self._key = hashlib.pbkdf2_hmac("sha256", phrase.encode(), base64.b64decode(salt), 10**6)
        assert self(check) == "pulumi"

    def __call__(self, value: str) -> str:
        version, nonce, ciphertext = value.split(":")
        assert version == "v1"
        cipher = AESGCM(self._key)
        plain = cipher.decrypt(base64.b64decode(nonce), base64.b64decode(ciphertext), None)
        return plain.decode()


@pytest.fixture(scope="session")
def decrypt(passphrase: Passphrase) -> Decrypter:
    return Decrypter(passphrase.phrase, passphrase.salt)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    directory = tmp_path / "checkout"
    directory.mkdir()
    (directory / "Pulumi.yaml").write_text("name: berth\nruntime: python\n")
    return directory
