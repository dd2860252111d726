"""Writing so that a reader sees the old or the new, never half of it."""

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

from .host import Ids


def read(path: Path) -> bytes | None:
    """The bytes of a file, None where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(path: Path, content: bytes, *, mode: int, ids: Ids) -> bool:
    """Make the file this content, mode and owner; False where it was so already."""
    if read(path) == content and not path.is_symlink():
        status = path.stat()
        if (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (mode, ids.uid, ids.gid):
            return False
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchown(file.fileno(), ids.uid, ids.gid)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return True


def directory(path: Path, *, mode: int, ids: Ids, above: Ids | None = None) -> bool:
    """Make the directory where it is missing; one that is there stays as it is.

    Missing parents are made too, for `above` where that is somebody else.
    """
    if path.is_dir():
        return False
    if not path.parent.is_dir():
        directory(path.parent, mode=0o755, ids=above or ids)
    try:
        path.mkdir()
    except FileExistsError:
        # Another step on this host was quicker.
        if path.is_dir():
            return False
        raise
    os.chown(path, ids.uid, ids.gid)
    path.chmod(mode)
    return True


def link(path: Path, target: str) -> bool:
    """Make `path` a symbolic link to `target` by one rename; False where it was one already."""
    if path.is_symlink() and str(path.readlink()) == target:
        return False
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(target)
    partial.rename(path)
    return True


def remove_tree(path: Path) -> bool:
    """Remove a file, a link or a whole directory; False where there was nothing."""
    if path.is_symlink() or path.is_file():
        path.unlink()
        return True
    if path.is_dir():
        shutil.rmtree(path)
        return True
    return False


def remove_if_empty(path: Path) -> bool:
    """Remove a directory that holds nothing; False where it is absent or holds something."""
    if not path.is_dir() or path.is_symlink() or any(path.iterdir()):
        return False
    path.rmdir()
    return True


def to_json(value: dict[str, Any]) -> bytes:
    """The bytes of a small JSON file that people may read."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
