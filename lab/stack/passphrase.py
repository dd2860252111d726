"""The lab's own encryption of stack secrets, in the form that Pulumi's passphrase provider reads.

PBKDF2-SHA256 with a million rounds makes the key, once a lab; AES-256-GCM does the rest.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lab.errors import LabError

_ROUNDS = 1_000_000
_SALT_BYTES = 8
_NONCE_BYTES = 12
_THROW_AWAY_LENGTH = 32


@dataclass(frozen=True)
class Passphrase:
    """A passphrase with the key made from it; `salt` is what a stack file's encryptionsalt says."""

    phrase: str
    salt: str
    key: bytes

    def encrypt(self, plaintext: str) -> str:
        """`v1:NONCE:CIPHERTEXT`, another one at each call."""
        return _encrypt(self.key, plaintext)

    def throw_away(self, name: str) -> str:
        """The value of a secret that nobody gave one: 32 hexadecimal digits, always the same."""
        message = f"throw-away secret: {name}".encode()
        return hmac.new(self.key, message, hashlib.sha256).hexdigest()[:_THROW_AWAY_LENGTH]


def lab_passphrase(file: Path) -> Passphrase:
    """The passphrase kept in `file` (readable by its owner only), made when it is not there."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_once(file, _new(secrets.token_urlsafe(24)))
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return Passphrase(kept["phrase"], kept["salt"], bytes.fromhex(kept["key"]))
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{file}: is not what the lab wrote there ({error}); run `lab down`, then `lab up`"
        ) from error


def _new(phrase: str) -> Passphrase:
    salt = os.urandom(_SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha256", phrase.encode(), salt, _ROUNDS)
    return Passphrase(phrase, f"v1:{_base64(salt)}:{_encrypt(key, 'pulumi')}", key)


def _encrypt(key: bytes, plaintext: str) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, plaintext.encode(), None)
    return f"v1:{_base64(nonce)}:{_base64(ciphertext)}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _write_once(file: Path, made: Passphrase) -> None:
    handle, scratch = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({"phrase": made.phrase, "salt": made.salt, "key": made.key.hex()}, out)
        # A link fails where somebody else was first, whose passphrase then counts.
        Path(file).hardlink_to(scratch)
    except FileExistsError:
        pass
    finally:
        Path(scratch).unlink()
