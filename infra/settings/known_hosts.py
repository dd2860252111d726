"""Looks up host keys in a known_hosts file, as ssh-keygen -F does."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

_BEST_FIRST = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)


def find_host_key(known_hosts: Path, address: str, port: int) -> str | None:
    """`TYPE BASE64` of the best key that the file has for a host; None when it has none."""
    wanted = address.lower() if port == 22 else f"[{address.lower()}]:{port}"
    keys = dict(_keys(known_hosts.read_text(encoding="utf-8"), wanted))
    return next((f"{kind} {keys[kind]}" for kind in _BEST_FIRST if kind in keys), None)


def check_host_key(text: str) -> None:
    """ValueError when `text` is no public key of a kind that a host can have."""
    kind, _, rest = text.partition(" ")
    try:
        known = kind in _BEST_FIRST
        load_ssh_public_key(f"{kind} {rest.split()[0] if rest.split() else ''}".encode())
    except (ValueError, UnsupportedAlgorithm):
        known = False
    if not known:
        raise ValueError(
            "must be a host key, such as ssh-ed25519 AAAA...; "
            "read it on the host itself: cat /etc/ssh/ssh_host_ed25519_key.pub"
        )


def _keys(text: str, wanted: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        parts = line.split()
        # Lines marked @cert-authority or @revoked are no keys of one host.
        if len(parts) >= 3 and not parts[0].startswith(("#", "@")):
            hosts, kind, key = parts[:3]
            if any(_matches(host, wanted) for host in hosts.split(",")):
                yield kind, key


def _matches(host: str, wanted: str) -> bool:
    if not host.startswith("|1|"):
        return host.lower() == wanted
    try:
        salt, digest = (base64.b64decode(part) for part in host[3:].split("|"))
    except (ValueError, binascii.Error):
        return False
    # SHA-1 is what OpenSSH hashes host names with; nothing is protected by it here.
    return hmac.compare_digest(hmac.new(salt, wanted.encode(), hashlib.sha1).digest(), digest)
