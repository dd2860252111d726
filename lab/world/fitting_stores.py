"""The storages, templates and user of a world that fits a stack; assumptions go into notes."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lab.world import models
from lab.world.stack_facts import ContainerFacts

_RELEASES = {"debian-13": "trixie", "debian-12": "bookworm"}
# Larger than what the stack takes: other guests and a second stack find room, too.
_SPARE = 2


def fits_model(kind: Any, value: object) -> bool:  # noqa: ANN401 - a model or an annotated type
    """Whether a value is of one of the world's own types."""
    try:
        _adapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - see above
    return TypeAdapter(kind)


def with_room(needed: int, *, least: int) -> int:
    """A size with room for more: `least`, doubled as often as it takes."""
    size = least
    while size < needed * _SPARE:
        size *= 2
    return size


def fit_storages(
    containers: Iterable[ContainerFacts], notes: list[str]
) -> dict[str, dict[str, Any]]:
    """By name, with the content that the stack keeps on each."""
    sizes: Counter[str] = Counter()
    templates = {"local"}
    for container in containers:
        sizes[container.storage or "local-lvm"] += container.disk_gb
        templates.add(container.template_storage or "local")
    storages: dict[str, dict[str, Any]] = {}
    for name in sorted({*sizes, *templates}):
        if not fits_model(models.StorageName, name):
            notes.append(f"storage {name!r}: is no name of a storage; left out")
            continue
        kind = "zfspool" if "zfs" in name else "lvmthin" if "lvm" in name else "dir"
        if name in templates:
            kind = "dir"
        storages[name] = {
            "type": kind,
            "content": [
                *(["vztmpl", "iso", "backup", "snippets"] if name in templates else []),
                *(["rootdir", "images"] if name in sizes else []),
            ],
            "size_gb": with_room(sizes[name], least=100),
        }
    return storages


def fit_templates(containers: Iterable[ContainerFacts], notes: list[str]) -> list[dict[str, str]]:
    """Each template volume that the stack names, with the release to make it from."""
    templates = []
    for volume in dict.fromkeys(c.template for c in containers if c.template):
        known = next((r for system, r in _RELEASES.items() if system in volume), None)
        entry = {"volume": volume, "release": known or "trixie"}
        if known is None:
            file = volume.rpartition("/")[2]
            entry["stands_in_for"] = re.sub(r"[-_](standard|default).*|[._]tar.*", "", file)
        if fits_model(models.Template, entry):
            templates.append(entry)
        else:
            notes.append(f"template {volume!r}: is no STORAGE:vztmpl/FILE; left out")
    return templates


def fit_user(username: str | None, notes: list[str]) -> str:
    """Who logs in with a password."""
    if username is None or fits_model(models.UserId, username):
        return username or "root@pam"
    notes.append(f"proxmox/username: {username!r} is of no realm of a lab; it uses root@pam")
    return "root@pam"
