"""As much of OpenPGP (RFC 9580, version 4 packets) as a package repository's signature takes."""

import base64
import hashlib
import struct
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_PUBLIC_KEY, _USER_ID, _SIGNATURE = 6, 13, 2
_RSA, _SHA512 = 1, 10
_BINARY, _TEXT, _CERTIFICATION = 0x00, 0x01, 0x13
_CERTIFY_AND_SIGN = 0x03


@dataclass(frozen=True)
class SigningKey:
    """An RSA key with its owner's name; `made_at` in seconds since 1970 is part of its identity."""

    key: rsa.RSAPrivateKey
    owner: str
    made_at: int

    @cached_property
    def fingerprint(self) -> str:
        """40 hexadecimal digits in capitals, as gpg shows it without spaces."""
        return self._fingerprint.hex().upper()

    def key_ring(self) -> bytes:
        """The public key as a binary key ring."""
        owner = self.owner.encode()
        certified = self._hashed_key() + b"\xb4" + struct.pack("!I", len(owner)) + owner
        return (
            _packet(_PUBLIC_KEY, self._public)
            + _packet(_USER_ID, owner)
            + self._signature(
                _CERTIFICATION, certified, self.made_at, _sub(27, bytes([_CERTIFY_AND_SIGN]))
            )
        )

    def detached(self, content: bytes, at: int) -> str:
        """A signature of `content`, in ASCII."""
        return _armored("PGP SIGNATURE", self._signature(_BINARY, content, at))

    def clear_signed(self, text: str, at: int) -> str:
        """`text` with its signature below, readable as it is."""
        lines = [line.rstrip(" \t") for line in text.rstrip("\n").split("\n")]
        signature = self._signature(_TEXT, "\r\n".join(lines).encode(), at)
        shown = "\n".join(f"- {line}" if line.startswith("-") else line for line in lines)
        head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
        return f"{head}{shown}\n{_armored('PGP SIGNATURE', signature)}"

    @cached_property
    def _public(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        head = struct.pack("!BIB", 4, self.made_at, _RSA)
        return head + _number(numbers.n) + _number(numbers.e)

    def _hashed_key(self) -> bytes:
        return b"\x99" + struct.pack("!H", len(self._public)) + self._public

    @cached_property
    def _fingerprint(self) -> bytes:
        # What identifies a version 4 key is SHA-1 by definition.
        return hashlib.sha1(self._hashed_key(), usedforsecurity=False).digest()

    def _signature(self, kind: int, content: bytes, at: int, more: bytes = b"") -> bytes:
        hashed = _sub(33, b"\x04" + self._fingerprint) + _sub(2, struct.pack("!I", at)) + more
        head = struct.pack("!BBBBH", 4, kind, _RSA, _SHA512, len(hashed)) + hashed
        signed = content + head + b"\x04\xff" + struct.pack("!I", len(head))
        made = self.key.sign(signed, padding.PKCS1v15(), hashes.SHA512())
        issuer = _sub(16, self._fingerprint[-8:])
        return _packet(
            _SIGNATURE,
            head
            + struct.pack("!H", len(issuer))
            + issuer
            + hashlib.sha512(signed).digest()[:2]
            + _number(int.from_bytes(made, "big")),
        )


def _packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + struct.pack("!I", len(body)) + body


def _sub(kind: int, body: bytes) -> bytes:
    return bytes([len(body) + 1, kind]) + body


def _number(value: int) -> bytes:
    return struct.pack("!H", value.bit_length()) + value.to_bytes((value.bit_length() + 7) // 8)


def _armored(kind: str, content: bytes) -> str:
    text = base64.b64encode(content).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    check = base64.b64encode(_crc24(content).to_bytes(3)).decode()
    return "\n".join(
        [f"-----BEGIN {kind}-----", "", *lines, f"={check}", f"-----END {kind}-----\n"]
    )


def _crc24(content: bytes) -> int:
    value = 0xB704CE
    for byte in content:
        value ^= byte << 16
        for _ in range(8):
            value <<= 1
            if value & 0x1000000:
                value ^= 0x1864CFB
    return value
