"""Mounts an image into a running container. Runs in the mount namespace of its monitor.

A mount crosses to the container's namespace as a file descriptor, so that no program and no path
of the container's is used on the way. Standard library only.
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

from lab.host.stage import STAGE

_CLONE_NEWNS = 0x00020000
_OPEN_TREE_CLONE = 1
_OPEN_TREE_CLOEXEC = os.O_CLOEXEC
_AT_FDCWD = -100
_MOVE_MOUNT_F_EMPTY_PATH = 4
# The numbers are the same on every architecture.
_OPEN_TREE, _MOVE_MOUNT = 428, 429

_libc = ctypes.CDLL(None, use_errno=True)


def hotmount(image: str, name: str, target: str, pid: int, shift: int, *, read_only: bool) -> None:
    """Mount `image` at `target` in the container whose init is `pid`."""
    point = STAGE / name
    point.mkdir(exist_ok=True)
    options = "loop,discard,ro" if read_only else "loop,discard"
    subprocess.run(["mount", "-o", options, image, point], check=True)
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC
    tree = _call(_libc.syscall(_OPEN_TREE, _AT_FDCWD, os.fsencode(point), flags))
    container = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    _call(_libc.setns(container, _CLONE_NEWNS))
    path = Path(target)
    for parent in (*reversed(path.parents), path):
        if not parent.is_dir():
            parent.mkdir()
            os.chown(parent, shift, shift)
    at = os.fsencode(target)
    _call(_libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, at, _MOVE_MOUNT_F_EMPTY_PATH))


def _call(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


if __name__ == "__main__":
    _image, _name, _target, _pid, _shift, _mode = sys.argv[1:]
    hotmount(_image, _name, _target, int(_pid), int(_shift), read_only=_mode == "ro")
