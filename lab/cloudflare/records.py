"""What a DNS record may be, by itself and beside the others of its zone. Pure."""

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any

from lab.cloudflare.errors import ApiError
from lab.cloudflare.state import DnsRecord, Json

ADDRESS_TYPES = ("A", "AAAA", "CNAME")
_TYPES_WITH_DATA = {
    "CAA", "CERT", "DNSKEY", "DS", "HTTPS", "LOC", "NAPTR", "SMIMEA", "SRV", "SSHFP", "SVCB",
    "TLSA", "URI",
}  # fmt: skip
TYPES = {*ADDRESS_TYPES, *_TYPES_WITH_DATA, "MX", "NS", "OPENPGPKEY", "PTR", "TXT"}
_AUTOMATIC = 1
_LONGEST_TTL = 86400
_SHORTEST_TTL = 60
_LONGEST_NAME = 253
_LONGEST_COMMENT = 100
_LABEL = re.compile(r"(\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)\Z")


def refused(code: int, message: str) -> ApiError:
    """A record that cannot be."""
    return ApiError(400, code, message)


def whole_name(name: object, zone: str) -> str:
    """The whole name of a record: what does not end in the zone is below it. Raises ApiError."""
    if not isinstance(name, str) or not name.strip():
        raise refused(9000, "DNS name is invalid.")
    text = name.strip().lower().rstrip(".")
    if text == "@":
        return zone
    if text != zone and not text.endswith(f".{zone}"):
        text = f"{text}.{zone}"
    labels = text.split(".")
    wild_within = any("*" in label for label in labels[1:])
    if len(text) > _LONGEST_NAME or wild_within or not all(map(_LABEL.match, labels)):
        raise refused(9000, "DNS name is invalid.")
    return text


def content_of(kind: str, body: Json, name: str) -> str:
    """The content in its plain form; raises ApiError where it does not fit the type."""
    content = body.get("content")
    if kind in _TYPES_WITH_DATA and not content and isinstance(body.get("data"), dict):
        return " ".join(str(value) for value in body["data"].values())
    if not isinstance(content, str) or not content.strip():
        raise refused(9005 if kind == "A" else 9007, f"Content for {kind} record is invalid.")
    text = content.strip()
    if kind == "A":
        return _address(
            IPv4Address, text, 9005, "Content for A record must be a valid IPv4 address."
        )
    if kind == "AAAA":
        return _address(
            IPv6Address, text, 9006, "Content for AAAA record must be a valid IPv6 address."
        )
    if kind == "CNAME":
        target = text.lower().rstrip(".")
        if not all(map(_LABEL.match, target.split("."))):
            raise refused(9007, "Content for CNAME record is invalid.")
        if target == name:
            raise refused(9039, "CNAME content cannot reference itself.")
        return target
    return text


def _address(
    kind: type[IPv4Address] | type[IPv6Address], text: str, code: int, message: str
) -> str:
    try:
        return str(kind(text))
    except AddressValueError as error:
        raise refused(code, message) from error


def ttl_of(value: object, *, proxied: bool) -> int:
    """The time to live; 1 is automatic, and what every proxied record has. Raises ApiError."""
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    number = int(value) if isinstance(value, int | float) and whole else 0
    if number != _AUTOMATIC and not _SHORTEST_TTL <= number <= _LONGEST_TTL:
        raise refused(
            9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic."
        )
    return _AUTOMATIC if proxied else number


def proxied_of(kind: str, value: object) -> bool:
    """Whether the record is proxied; raises ApiError where its type cannot be."""
    if value is None or value is False:
        return False
    if value is not True:
        raise refused(9004, "proxied must be true or false.")
    if kind not in ADDRESS_TYPES:
        raise refused(9041, "This DNS record cannot be proxied.")
    return True


def comment_of(value: object) -> str | None:
    """The comment, None where there is none; raises ApiError where it is too long."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise refused(9300, "DNS record comment must be a string.")
    if len(value) > _LONGEST_COMMENT:
        raise refused(
            9300, f"DNS record comment exceeds the limit of {_LONGEST_COMMENT} characters."
        )
    return value


def tags_of(value: object) -> list[str]:
    """The tags; raises ApiError where they are no list of texts."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise refused(9301, "DNS record tags must be a list of strings.")
    return list(value)


def require_beside(record: DnsRecord, others: Iterable[DnsRecord]) -> None:
    """Raises ApiError where `record` cannot be in its zone beside `others`."""
    named = [other for other in others if other.name == record.name]
    kinds = {other.type for other in named}
    if record.type == "CNAME" and kinds & set(ADDRESS_TYPES):
        raise refused(81053, "An A, AAAA, or CNAME record with that host already exists.")
    if record.type in {"A", "AAAA"} and "CNAME" in kinds:
        raise refused(81054, "A CNAME record with that host already exists.")
    if any((o.type, o.content) == (record.type, record.content) for o in named):
        raise refused(81058, "An identical record already exists.")


def view(record: DnsRecord) -> dict[str, Any]:
    """A record as the API shows it; what only some have is left out where it is not there."""
    shown: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "type": record.type,
        "content": record.content,
        "proxiable": record.type in ADDRESS_TYPES,
        "proxied": record.proxied,
        "ttl": record.ttl,
        "settings": record.settings,
        "meta": {},
        "comment": record.comment,
        "tags": record.tags,
        "created_on": record.created_on,
        "modified_on": record.modified_on,
    }
    for key in ("data", "priority", "comment_modified_on", "tags_modified_on"):
        if (value := getattr(record, key)) is not None:
            shown[key] = value
    return shown
