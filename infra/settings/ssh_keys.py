"""Checks of SSH keys. A private key is looked at here and nowhere else."""

import base64
import binascii
import warnings

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
    load_ssh_public_key,
)
from cryptography.utils import CryptographyDeprecationWarning

from infra.settings.checks import SaidError

PUBLIC_KEY = "must be one OpenSSH public key, such as the line of a .pub file: ssh-ed25519 AAAA..."
_OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY-----"
_END = "-----END OPENSSH PRIVATE KEY-----"
_DSA = "ssh-dss "
_MAGIC = b"openssh-key-v1\0"


def public_half(private_key: str) -> str:
    """The public key of an unencrypted OpenSSH private key, without a comment.

    ValueError says what is wrong and what to do, never what the key is.
    """
    text = private_key.strip()
    if text.startswith("\ufeff"):
        raise ValueError(
            "begins with a byte order mark, which OpenSSH takes for a part of the key; store the "
            "file without it: tail -c +4 KEYFILE"
        )
    if not text.startswith(_OPENSSH):
        raise ValueError(
            "is no OpenSSH private key; make one: ssh-keygen -t ed25519 -N '' -f KEYFILE, "
            "or convert an older form: ssh-keygen -p -N '' -f KEYFILE"
        )
    if _cipher(text) not in (b"none", b""):
        raise ValueError(
            "is encrypted with a passphrase, which nobody can type here; "
            "take it off a copy: ssh-keygen -p -N '' -f COPY"
        )
    try:
        _ensure_lines(private_key)
        with warnings.catch_warnings():
            # Of DSA, which is refused in words below.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            key = load_ssh_private_key(f"{text}\n".encode(), password=None)
            public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(
            "does not parse as an OpenSSH private key; store the whole file: "
            "pulumi config set --secret --path 'berth:secrets.NAME' < KEYFILE"
        ) from None
    if public.startswith(_DSA.encode()):
        raise ValueError(
            "is a DSA key, which OpenSSH takes no more; make one: "
            "ssh-keygen -t ed25519 -N '' -f KEYFILE"
        )
    return public.decode()


def public_key(text: str) -> str:
    """A line of an authorized_keys file, without options; ValueError when it is none."""
    lines = text.strip().splitlines()
    if "PRIVATE" in text:
        raise SaidError("must be a public key; this is a private one, which belongs nowhere here")
    if text.lstrip().startswith(_DSA):
        raise SaidError(
            "must be a key that OpenSSH takes, and DSA is taken no more; make one: "
            "ssh-keygen -t ed25519 -f KEYFILE",
            hidden=True,
        )
    try:
        (line,) = lines
        load_ssh_public_key(" ".join(line.split()[:2]).encode())
    except UnsupportedAlgorithm:
        raise ValueError(text) from None
    return line.strip()


def _ensure_lines(private_key: str) -> None:
    """ValueError where the lines were joined or moved in: SSH in Go reads no such key."""
    lines = [line.rstrip() for line in private_key.splitlines()]
    if _OPENSSH not in lines or _END not in lines:
        raise ValueError


def _cipher(text: str) -> bytes:
    body = "".join(text.split("\n")[1:-1])
    try:
        blob = base64.b64decode(body, validate=False)
    except binascii.Error:
        return b""
    if not blob.startswith(_MAGIC):
        return b""
    start = len(_MAGIC) + 4
    length = int.from_bytes(blob[len(_MAGIC) : start], "big")
    return blob[start : start + length]
