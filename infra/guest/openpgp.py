"""Reads a ring of OpenPGP public keys: which keys are in it, by their fingerprints. Checks no more.

Signatures are apt's to check; it is only told which key to believe.
"""

import base64
import hashlib
from collections.abc import Iterator

ARMOUR = b"-----BEGIN PGP"
PUBLIC_KEY = 6


def keys(ring: bytes) -> dict[str, bytes]:
    """The packets of each primary key, and of what belongs to it, by fingerprint (upper case).

    ValueError: the bytes are no ring of keys of version 4.
    """
    found: dict[str, bytes] = {}
    current = ""
    for tag, body, packet in _packets(_binary(ring)):
        if tag == PUBLIC_KEY:
            if body[:1] != b"\x04":
                raise ValueError("a key of another version than 4")
            framed = b"\x99" + len(body).to_bytes(2, "big") + body
            current = hashlib.sha1(framed, usedforsecurity=False).hexdigest().upper()
        if not current:
            raise ValueError("the first packet is no public key")
        found[current] = found.get(current, b"") + packet
    if not found:
        raise ValueError("it holds no key")
    return found


def _binary(ring: bytes) -> bytes:
    if not ring.lstrip().startswith(ARMOUR):
        return ring
    lines = ring.decode("ascii", "replace").strip().splitlines()
    # Headers end with the first empty line; the checksum begins with `=`.
    body = lines[lines.index("") + 1 : -1] if "" in lines else lines[1:-1]
    return base64.b64decode("".join(line for line in body if not line.startswith("=")))


def _packets(ring: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    position = 0
    while position < len(ring):
        first = ring[position]
        if not first & 0x80:
            raise ValueError("no OpenPGP packet")
        if first & 0x40:
            tag, (length, header) = first & 0x3F, _new_length(ring, position + 1)
        else:
            tag, (length, header) = (first >> 2) & 0x0F, _old_length(ring, position + 1, first & 3)
        begin = position + 1 + header
        end = begin + length
        if end > len(ring):
            raise ValueError("a packet is cut off")
        yield tag, ring[begin:end], ring[position:end]
        position = end


def _new_length(ring: bytes, position: int) -> tuple[int, int]:
    first = ring[position]
    if first < 192:
        return first, 1
    if first < 224:
        return ((first - 192) << 8) + ring[position + 1] + 192, 2
    if first == 255:
        return int.from_bytes(ring[position + 1 : position + 5], "big"), 5
    raise ValueError("a packet in parts")


def _old_length(ring: bytes, position: int, kind: int) -> tuple[int, int]:
    if kind == 3:
        raise ValueError("a packet without a length")
    size = 1 << kind
    return int.from_bytes(ring[position : position + size], "big"), size
