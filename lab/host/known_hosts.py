"""The lab's known_hosts files: made from what each container's directory says about it."""

import json
from collections.abc import Iterable
from pathlib import Path

from lab.guests import GuestSpec
from lab.paths import LabPaths

_HOST_KEYS = "host_keys"
_NAMES = "names.json"
_EXISTING = ("node-", "host-")


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
    """Write both files anew, each at one stroke."""
    all_lines: list[str] = []
    existing: list[str] = []
    for file in sorted(paths.guests.glob(f"*/{_NAMES}")):
        lines = _lines(file.parent)
        all_lines += lines
        if file.parent.name.startswith(_EXISTING):
            existing += lines
    _replace(paths.known_hosts, all_lines)
    _replace(paths.existing_known_hosts, existing)


def _lines(directory: Path) -> list[str]:
    known = json.loads((directory / _NAMES).read_text(encoding="utf-8"))
    port = known["port"]
    plain = known["names"] if port == 22 else []
    names = ",".join([*plain, *(f"[{name}]:{port}" for name in known["names"])])
    keys = directory / _HOST_KEYS
    if not keys.exists():
        return []
    return [f"{names} {key}\n" for key in keys.read_text(encoding="utf-8").splitlines()]


def _replace(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text("".join(lines), encoding="utf-8")
    new.rename(path)
