"""Looks at a certificate and its key before either goes anywhere. No message repeats them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

SOON = timedelta(days=14)


class Certificate:
    """The first certificate of a chain. ValueError: the text is no certificate."""

    def __init__(self, text: str) -> None:
        try:
            self._certificate = x509.load_pem_x509_certificates(text.encode())[0]
        except (ValueError, UnicodeEncodeError):
            raise ValueError(
                "must be a certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----"
            ) from None

    def problems(self, now: datetime) -> Iterator[str]:
        """What is wrong with its time."""
        ends, begins = self._certificate.not_valid_after_utc, self._certificate.not_valid_before_utc
        if ends <= now:
            yield f"has expired, on {ends:%Y-%m-%d}; renew it"
        elif begins > now:
            yield f"is not valid before {begins:%Y-%m-%d}; is the clock of this machine right?"

    def warning(self, now: datetime) -> str | None:
        """Said while it is valid for a few days only."""
        ends = self._certificate.not_valid_after_utc
        return f"expires on {ends:%Y-%m-%d}; renew it" if now < ends <= now + SOON else None

    def fits(self, key: str) -> str | None:
        """What is wrong with `key`, or with the two together; None where nothing is."""
        try:
            private = load_pem_private_key(key.encode(), password=None)
        except TypeError:
            return "must have no passphrase, since nobody is there to give it"
        except (ValueError, UnsupportedAlgorithm, UnicodeEncodeError):
            return "must be a private key in PEM form, which begins with -----BEGIN"
        both = [
            public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            for public in (private.public_key(), self._certificate.public_key())
        ]
        return None if both[0] == both[1] else "is not the key of the certificate beside it"

    def names(self) -> list[str]:
        """The names and addresses that it is for."""
        try:
            found = self._certificate.extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            ).value
        except x509.ExtensionNotFound:
            return []
        addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
        return [*found.get_values_for_type(x509.DNSName), *addresses]

    def covers(self, name: str) -> bool:
        """Whether it is for `name`, a DNS name or an address."""
        try:
            return str(ip_address(name)) in self.names()
        except ValueError:
            pass
        wanted = name.lower().split(".")
        for known in (given.lower().split(".") for given in self.names()):
            same = known == wanted
            below = known[0] == "*" and known[1:] == wanted[1:]
            if same or below:
                return True
        return False


def today() -> datetime:
    """Now, as certificates count."""
    return datetime.now(UTC)
