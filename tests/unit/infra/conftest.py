"""What the unit tests of the program share."""

import base64
import os

import pytest

from tests.unit.infra.recording import own_event_loop

loop = pytest.fixture(autouse=True)(own_event_loop)


@pytest.fixture
def encrypted_key() -> str:
    """What `ssh-keygen -N passphrase` writes, but for noise in place of the encrypted part."""
    parts = (b"aes256-ctr", b"bcrypt", os.urandom(24))
    header = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    blob = base64.b64encode(b"openssh-key-v1\0" + header + os.urandom(200)).decode()
    lines = [blob[start : start + 70] for start in range(0, len(blob), 70)]
    return "\n".join(
        ["-----BEGIN OPENSSH PRIVATE KEY-----", *lines, "-----END OPENSSH PRIVATE KEY-----", ""]
    )
