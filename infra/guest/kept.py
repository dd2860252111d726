"""The server's own files: mounted read-only while a step works, and looked at before and after."""

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

from .failure import StepFailed
from .host import Host

SMALL_BYTES = 1 << 20


@dataclass(frozen=True)
class Look:
    """What a path looked like: kind, mode and owner, and for a small file its hash."""

    mode: int
    uid: int
    gid: int
    sha256: str | None


def look(paths: list[Path]) -> dict[Path, Look]:
    """Those that are there, as they are now."""
    seen = {}
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        small = stat.S_ISREG(status.st_mode) and status.st_size <= SMALL_BYTES
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if small else None
        seen[path] = Look(status.st_mode, status.st_uid, status.st_gid, digest)
    return seen


def demand_unchanged(before: dict[Path, Look], writable: list[Path]) -> None:
    """StepFailed where a file of the server is another one now. What is below a path that the
    service writes to may have changed meanwhile: that was the service itself.
    """
    after = look(list(before))
    changed = [
        path
        for path, was in before.items()
        if after.get(path) != was and not any(path.is_relative_to(top) for top in writable)
    ]
    if changed:
        names = ", ".join(str(path) for path in changed)
        raise StepFailed(
            f"{names}: changed while the deploy ran, though the deploy cannot write there",
            remedy="find out who changed it; a path that the service itself writes belongs "
            "in `writable`",
        )


def protect(paths: list[Path], host: Host) -> None:
    """Mount what is there read-only, for this process and its children alone."""
    present = [path.resolve() for path in paths if path.exists()]
    if not present:
        return
    host.own_mounts()
    remedy = "a container needs `nesting: true`"
    host.run(["mount", "--make-rprivate", "/"], remedy=remedy)
    for path in present:
        host.run(["mount", "--bind", str(path), str(path)], remedy=remedy)
        host.run(["mount", "-o", "remount,bind,ro", str(path)], remedy=remedy)
