"""The lab's known_hosts: made from what each container's directory says about it."""

import json
from collections.abc import Iterable
from pathlib import Path

from lab.guests import GuestSpec
from lab.paths import LabPaths

_HOST_KEYS = "host_keys"
_NAMES = "names.json"


def note_host_keys(directory: Path, public_lines: Iterable[str]) -> None:
    """Keep the public halves of a container's host keys."""
    (directory / _HOST_KEYS).write_text("".join(public_lines), encoding="utf-8")


def note_names(directory: Path, spec: GuestSpec, port: int | None = None) -> None:
    """Keep the names and addresses of a container; its SSH port stays what it was."""
    file = directory / _NAMES
    if port is None:
        port = json.loads(file.read_text(encoding="utf-8"))["port"] if file.exists() else 22
    cards = spec.interfaces
    addresses = [str(a.ip) for card in cards for a in (card.ipv4, card.ipv6) if a]
    names = [spec.hostname, *addresses]
    file.write_text(json.dumps({"names": names, "port": port}), encoding="utf-8")


def write_known_hosts(paths: LabPaths) -> None:
    """Write it anew, at one stroke."""
    lines: list[str] = []
    for file in sorted(paths.guests.glob(f"*/{_NAMES}")):
        known = json.loads(file.read_text(encoding="utf-8"))
        keys = file.with_name(_HOST_KEYS)
        if keys.exists():
            public = keys.read_text(encoding="utf-8").splitlines()
            lines += known_hosts_lines(known["names"], known["port"], public)
    replace_lines(paths.known_hosts, lines)


def known_hosts_lines(names: list[str], port: int, public_keys: Iterable[str]) -> list[str]:
    """A line for each key, with names as ssh looks them up; port 22 needs no brackets."""
    plain = names if port == 22 else []
    where = ",".join([*plain, *(f"[{name}]:{port}" for name in names)])
    return [f"{where} {key}\n" for key in public_keys]


def replace_lines(path: Path, lines: list[str]) -> None:
    """Write a file at one stroke."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text("".join(lines), encoding="utf-8")
    new.rename(path)
