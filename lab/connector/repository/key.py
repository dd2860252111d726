"""The lab's own signing key, made once for a lab."""

import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.connector.repository.openpgp import SigningKey
from lab.durable import write_whole
from lab.errors import LabError
from lab.paths import LabPaths

_BITS = 3072


def ensure_signing_key(paths: LabPaths) -> None:
    """Make the key unless it is there."""
    if paths.connector_key.exists():
        return
    key = rsa.generate_private_key(65537, _BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_whole(paths.connector_key, f"{int(time.time())}\n{pem.decode()}")


def signing_key(paths: LabPaths) -> SigningKey:
    """The key that `ensure_signing_key` made."""
    try:
        made_at, _, pem = paths.connector_key.read_text(encoding="utf-8").partition("\n")
        # It is our own: to look for weaknesses in it takes longer than all else of a command.
        key = serialization.load_pem_private_key(
            pem.encode(), None, unsafe_skip_rsa_key_validation=True
        )
    except (OSError, ValueError) as error:
        raise LabError(
            f"{paths.connector_key}: cannot be read ({error}); `bin/lab down`, then `bin/lab up`"
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise LabError(f"{paths.connector_key}: is no RSA key; `bin/lab down`, then `bin/lab up`")
    owner = f"berth lab {paths.name}: connector packages <lab@berth.invalid>"
    return SigningKey(key, owner, int(made_at))
