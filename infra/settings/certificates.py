"""Looks at a certificate and its key before either goes anywhere. No message repeats them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

SOON = timedelta(days=14)
SHORTEST_RSA = 2048


class Certificate:
    """The first certificate of a chain, and those behind it. ValueError: the text is none."""

    def __init__(self, text: str) -> None:
        try:
            self._certificate, *self._chain = x509.load_pem_x509_certificates(text.encode())
        except (ValueError, UnicodeEncodeError):
            raise ValueError(
                "must be a certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----"
            ) from None

    def problems(self, now: datetime) -> Iterator[str]:
        """What is wrong with its time, and with that of the chain."""
        yield from _time_problems(self._certificate, now)
        for number, one in enumerate(self._chain, start=2):
            for text in _time_problems(one, now):
                yield f"number {number} of its chain {text}"

    def warning(self, now: datetime) -> str | None:
        """Said while it is valid for a few days only."""
        ends = min(one.not_valid_after_utc for one in [self._certificate, *self._chain])
        return f"expires on {ends:%Y-%m-%d}; renew it" if now < ends <= now + SOON else None

    def fits(self, key: "Key") -> str | None:
        """What is wrong with the two together; None where nothing is."""
        if key.public == _public(self._certificate):
            return None
        for number, one in enumerate(self._chain, start=2):
            if key.public == _public(one):
                return (
                    f"is that of number {number} of the chain beside it; put its own certificate "
                    "first there, and those that signed it behind"
                )
        return "is not the key of the certificate beside it"

    def names(self) -> list[str]:
        """The names and addresses that it is for."""
        return [*map(_shown, self._dns_names()), *self._addresses()]

    def covers(self, name: str) -> bool:
        """Whether it is for `name`, a DNS name or an address."""
        try:
            return str(ip_address(name)) in self._addresses()
        except ValueError:
            pass
        wanted = name.lower().split(".")
        for known in (given.lower().split(".") for given in self._dns_names()):
            same = known == wanted
            below = len(known) > 1 and known[0] == "*" and known[1:] == wanted[1:]
            if same or below:
                return True
        return False

    def _dns_names(self) -> list[str]:
        found = self._alternatives()
        return found.get_values_for_type(x509.DNSName) if found else []

    def _addresses(self) -> list[str]:
        found = self._alternatives()
        return list(map(str, found.get_values_for_type(x509.IPAddress))) if found else []

    def _alternatives(self) -> x509.SubjectAlternativeName | None:
        try:
            extensions = self._certificate.extensions
            return extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return None


class Key:
    """A private key. ValueError: it is none that a service can be started with."""

    def __init__(self, text: str) -> None:
        try:
            private = load_pem_private_key(text.encode(), password=None)
        except TypeError:
            raise ValueError("must have no passphrase, since nobody is there to give it") from None
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError(
                "must be a private key in PEM form, which begins with -----BEGIN PRIVATE KEY-----, "
                "or with EC or RSA before PRIVATE"
            ) from None
        if isinstance(private, RSAPrivateKey) and private.key_size < SHORTEST_RSA:
            raise ValueError(
                f"is an RSA key of {private.key_size} bits, which Debian's OpenSSL refuses; make "
                f"one of {SHORTEST_RSA} or more, and its certificate anew"
            )
        self.public = _public(private)


def _shown(name: str) -> str:
    """One that looks like an address is none to those who verify."""
    return f"{name} (as a DNS name)" if re.fullmatch(r"[0-9.]+|.*:.*", name) else name


def _time_problems(certificate: x509.Certificate, now: datetime) -> Iterator[str]:
    ends, begins = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    if ends <= now:
        yield f"has expired, on {ends:%Y-%m-%d}; renew it"
    elif begins > now:
        yield f"is not valid before {begins:%Y-%m-%d}; is the clock of this machine right?"


def _public(owner: x509.Certificate | PrivateKeyTypes) -> bytes:
    public = owner.public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def today() -> datetime:
    """Now, as certificates count."""
    return datetime.now(UTC)
