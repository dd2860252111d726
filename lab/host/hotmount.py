"""Brings an image or a device into a running container, from the mount namespace of its monitor.

A mount crosses to the container's namespace as a file descriptor, so that no program and no path
of the container's is used on the way. Standard library only.
"""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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
    tree = _taken(point)
    _enter(pid)
    path = Path(target)
    for parent in (*reversed(path.parents), path):
        if not parent.is_dir():
            parent.mkdir()
            os.chown(parent, shift, shift)
    _put(tree, target)


def hotdevice(order: dict[str, Any]) -> None:
    """Show a device in the container whose init is `pid`; the order is one of `hotplug.py`."""
    node = STAGE / "devices" / order["name"]
    node.parent.mkdir(exist_ok=True)
    node.unlink(missing_ok=True)
    os.mknod(node, 0o600 | order["type"], order["number"])
    os.chown(node, order["uid"], order["gid"])
    node.chmod(order["mode"])
    tree, target = _taken(node), Path(order["target"])
    _enter(order["pid"])
    # The container's own /dev takes files of its own users only.
    os.setegid(order["shift"])
    os.seteuid(order["shift"])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    os.seteuid(0)
    _put(tree, str(target))


def _taken(point: Path) -> int:
    """What is at `point`, as a mount that is nowhere yet."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC
    return _call(_libc.syscall(_OPEN_TREE, _AT_FDCWD, os.fsencode(point), flags))


def _enter(pid: int) -> None:
    container = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    _call(_libc.setns(container, _CLONE_NEWNS))


def _put(tree: int, target: str) -> None:
    at = os.fsencode(target)
    _call(_libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, at, _MOVE_MOUNT_F_EMPTY_PATH))


def _call(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


if __name__ == "__main__":
    if sys.argv[1] == "device":
        hotdevice(json.loads(sys.argv[2]))
    else:
        _image, _name, _target, _pid, _shift, _mode = sys.argv[1:]
        hotmount(_image, _name, _target, int(_pid), int(_shift), read_only=_mode == "ro")
