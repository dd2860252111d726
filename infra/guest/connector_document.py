"""The document of `connect` and `disconnect`: which connector, with what, and where it lies.

    {"format": 1, "unit": "cloudflared", "owner": "berth/prod/tunnel/k7q2m9xw",
     "user": "cloudflared", "token_file": "/etc/cloudflared/token", "token": TEXT,
     "service": TEXT of the unit, "start_limit_s": 60,
     "package": {"name": "cloudflared", "key_url": URL, "fingerprint": HEX,
                 "ring": "/usr/share/keyrings/...", "list": "/etc/apt/sources.list.d/...",
                 "source": TEXT},
     "secrets": [the token], "lock_limit_s": 300}

`disconnect` needs the first five and `secrets`, `lock_limit_s`.
"""

from dataclasses import dataclass, fields

from .document import check_format, mapping, part


@dataclass(frozen=True)
class Disconnect:
    """Which connector of a host is meant, and whose it is."""

    format: int
    unit: str
    owner: str
    user: str
    token_file: str
    secrets: list[str]
    lock_limit_s: float


@dataclass(frozen=True)
class Package:
    """Where cloudflared comes from, and the key that its packages must be signed with."""

    name: str
    key_url: str
    fingerprint: str
    ring: str
    list: str
    source: str


@dataclass(frozen=True)
class Connect(Disconnect):
    """Everything that a connector needs."""

    token: str
    service: str
    start_limit_s: float
    package: Package


def read_connect(document: object) -> Connect:
    """Raises BadDocument with the name of what does not fit."""
    given = mapping("document", document)
    check_format(given)
    package = part(Package, "package", given.get("package"))
    return part(Connect, "document", {**given, "package": package})


def read_disconnect(document: object) -> Disconnect:
    """That of `connect` is also understood."""
    given = mapping("document", document)
    check_format(given)
    names = {field.name for field in fields(Disconnect)}
    return part(Disconnect, "document", {key: given[key] for key in given if key in names})
