"""What the guest program remembers of a service between two steps. It holds no secret."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from . import files
from .host import Host

HOME = "/var/lib/berth"


@dataclass
class State:
    """One service on this host.

    `confirmed` is a digest of what runs (release, environment file, units), empty while a switch
    is under way. `roots`, `units`, `env_files`, `archives` and `certificates` are what was placed,
    so that it is found when the stack names other ones. `packages` are those that a deploy brought.
    `answers` is what the confirmed one answers, and where: {"health": {...}, "host", "port"}, and
    "encrypted" where it speaks HTTPS.
    """

    owner: str = ""
    confirmed: str = ""
    release: str = ""
    roots: list[str] = field(default_factory=list)
    env_files: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    archives: list[str] = field(default_factory=list)
    certificates: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)


def home(host: Host, service: str) -> Path:
    """The directory of what we keep for a service."""
    return host.at(f"{HOME}/services/{service}")


def load(host: Host, service: str) -> State:
    """What is remembered; an empty state where nothing is, or where it cannot be read as one."""
    content = files.read(home(host, service) / "state.json")
    try:
        given = json.loads(content or b"{}")
    except ValueError:
        given = {}
    names = {item.name for item in fields(State)}
    return State(**{key: value for key, value in given.items() if key in names})


def save(host: Host, service: str, state: State) -> None:
    """Remember; nothing is written where nothing changed."""
    place = home(host, service)
    files.directory(place, mode=0o755, ids=host.root_ids)
    files.write(place / "state.json", files.to_json(asdict(state)), mode=0o600, ids=host.root_ids)
