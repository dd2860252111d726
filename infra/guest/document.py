"""The document that a step reads on stdin: its shape, checked before anything is touched.

`deploy` takes every field of `Deploy`; `remove` and `status` take those of `Named`:

    {"format": 1, "service": "chat", "owner": "berth/prod/chat/k7q2m9xw", "unit": "chat",
     "root": "/opt/chat", "user": "chat",
     "archive": {"sha256": HEX, "path": "/var/lib/berth/incoming/chat/HEX.tar.gz",
                 "send_again": TEXT},
     "environment": {"file": "uv.lock", "sha256": HEX, "package": null | "member",
                     "python": null | "3.12" | "/usr/bin/python3", "extras": [],
                     "install_project": false, "build_from_source": false},
     "packages": ["ffmpeg"], "server_only": [".env", "data"], "required_on_host": ["API_KEY"],
     "writable": ["/opt/chat/data"],
     "env_file": {"path": "/etc/chat/chat.env", "text": TEXT},
     "units": {"chat.service": TEXT, "chat.socket": TEXT},
     "host": "0.0.0.0", "port": 8000,
     "health": {"path": "/healthz", "status": 200, "json": null | {...}, "limit_s": 60},
     "tls": null | {"certificate": PATH, "key": PATH, "names": [],
                    "texts": null | {"certificate": PEM, "key": PEM}, "verified": [NAME, ...]},
     "secrets": ["value to mask", ...], "lock_limit_s": 300}

`archive.sha256` is the hash of the tar inside the archive (`gzip -dc FILE | sha256sum`).
Paths are absolute, except `server_only` and `environment.file`, which are below `root` and below
the source; `archive.path` may be seen from where the program was started. `units` lists the socket
only where the service is started through one.
"""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, TypeVar

from .failure import BadDocument

FORMAT = 1


@dataclass(frozen=True)
class Archive:
    """The code: `sha256` of the archive, where it was sent to, the command that sends it again."""

    sha256: str
    path: str
    send_again: str


@dataclass(frozen=True)
class Environment:
    """The Python environment. `sha256` is that of the lock and of all that it includes.

    `package` is the member of the lock's workspace whose dependencies are meant.
    """

    file: str
    sha256: str
    package: str | None
    python: str | None
    extras: list[str]
    install_project: bool
    build_from_source: bool


@dataclass(frozen=True)
class EnvFile:
    """Our own environment file."""

    path: str
    text: str


@dataclass(frozen=True)
class Health:
    """What the service must answer before it counts as started, and how long it may take."""

    path: str
    status: int
    json: dict[str, Any] | None
    limit_s: float


@dataclass(frozen=True)
class Tls:
    """Certificate and key, by path. `texts` are both where they were sent; `names` are those of
    one that the host makes; without either they are the host's own, and must be for `verified`.
    """

    certificate: str
    key: str
    texts: dict[str, str] | None
    names: list[str]
    verified: list[str]


@dataclass(frozen=True)
class Named:
    """Which service of a host is meant, and whose it is."""

    format: int
    service: str
    owner: str
    unit: str
    root: str
    user: str
    secrets: list[str]
    lock_limit_s: float


@dataclass(frozen=True)
class Deploy(Named):
    """Everything that one deploy of a service needs."""

    archive: Archive
    environment: Environment
    packages: list[str]
    server_only: list[str]
    required_on_host: list[str]
    writable: list[str]
    env_file: EnvFile
    units: dict[str, str]
    host: str
    port: int
    health: Health
    tls: Tls | None


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


Part = TypeVar("Part", bound=_Dataclass)


def read_deploy(document: object) -> Deploy:
    """The document of `deploy`; raises BadDocument with the name of what does not fit."""
    given = mapping("document", document)
    check_format(given)
    archive = part(Archive, "archive", given.get("archive"))
    nested = {
        "archive": replace(archive, path=os.path.abspath(archive.path)),  # noqa: PTH100 - no links
        "environment": part(Environment, "environment", given.get("environment")),
        "env_file": part(EnvFile, "env_file", given.get("env_file")),
        "health": part(Health, "health", given.get("health")),
        "tls": None if given.get("tls") is None else part(Tls, "tls", given["tls"]),
    }
    return part(Deploy, "document", {**given, **nested})


def read_named(document: object) -> Named:
    """The document of `remove` and `status`; that of a deploy is also understood."""
    given = mapping("document", document)
    check_format(given)
    names = {field.name for field in fields(Named)}
    return part(Named, "document", {key: given[key] for key in given if key in names})


def check_format(given: Mapping[str, Any]) -> None:
    """BadDocument where it is of another version."""
    if given.get("format") != FORMAT:
        raise BadDocument(
            f"document: this guest program understands format {FORMAT}, "
            f"got {given.get('format')!r}",
            remedy="send the guest program and the document of one version of berth",
        )


def mapping(name: str, value: object) -> dict[str, Any]:
    """The value, where it is a JSON object; else BadDocument."""
    if not isinstance(value, dict):
        raise BadDocument(f"{name}: must be a JSON object, got {type(value).__name__}")
    return value


def part(kind: type[Part], name: str, value: object) -> Part:
    """`value` as a dataclass with exactly its fields; else BadDocument."""
    given = mapping(name, value)
    wanted = {field.name for field in dataclasses.fields(kind)}
    if missing := sorted(wanted - given.keys()):
        raise BadDocument(f"{name}: {', '.join(missing)} missing")
    if unknown := sorted(given.keys() - wanted):
        raise BadDocument(f"{name}: {', '.join(unknown)} not understood")
    return kind(**given)
