"""Files that are sent to hosts: the guest program and archives, kept in this machine's cache."""

import os
import time
from pathlib import Path

from infra.guest_bundle import bundle, version
from infra.release.archive import pack
from infra.release.tree import Tree

KEPT_DAYS = 30


def archive(service: str, tree: Tree) -> Path:
    """The archive of a source, `<hash>.tar.gz`."""
    directory = _cache() / "archives" / service
    path = pack(tree, directory)
    _forget(directory, path)
    return path


def guest_program() -> Path:
    """The guest program, `<hash>.pyz`."""
    directory = _cache() / "guest"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{version()[:16]}.pyz"
    if not path.is_file():
        partial = directory / f".{path.name}.{os.getpid()}"
        partial.write_bytes(bundle())
        partial.replace(path)
    _forget(directory, path)
    return path


def _cache() -> Path:
    if explicit := os.environ.get("BERTH_CACHE"):
        return Path(explicit) / "sent"
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "berth" / "sent"


def _forget(directory: Path, used: Path) -> None:
    """Remove what no run has used for long; whatever is missing later is made again."""
    os.utime(used)
    oldest = time.time() - KEPT_DAYS * 24 * 3600
    for path in directory.iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
