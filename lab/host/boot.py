"""Boots a container: runs in the lab's network namespace and a private mount namespace.

Mounts images, devices and controllers there, writes the container's files and becomes lxc-start,
whose monitor keeps the namespace alive for as long as the container runs. Standard library only.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.host import groups, legacy
from lab.host.furnish import furnish
from lab.host.mounts import mount_table
from lab.host.stage import STAGE

ORDER = "boot.json"
"""The file in a container's directory that says what to do; made by `lxc.py`."""

LXC_PATH = "/usr/sbin:/sbin"
"""Programs that LXC may find.

Not those in /usr/bin: where it finds newuidmap it insists on a line in /etc/subuid, although root
needs neither. So no file of the machine has to be changed.
"""
_ENDED_WITHIN_S = 30.0


def boot(directory: Path, *, again: bool) -> None:
    """Become lxc-start for the container in `directory`; `again` after it rebooted itself."""
    order = json.loads((directory / ORDER).read_text(encoding="utf-8"))
    unified = _unified()
    group = unified / order["group"]
    groups.join(_beside(group, groups.BOOT))
    for old in (_beside(group, groups.MONITOR), _beside(group, groups.ENDING), group):
        if not groups.wait_empty(old, _ENDED_WITHIN_S):
            sys.exit(f"something still runs in {old}")
        groups.remove(old)
    if not again:
        _mount("-t", "sysfs", "sysfs", "/sys")
        _mount("-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
        _mount("-t", "tmpfs", "-o", "mode=755,size=1m", "berth", str(STAGE))
    _mount_volumes(order["volumes"])
    _make_devices(order["devices"])
    for controller, files in order["legacy"].items():
        hierarchy = STAGE / "v1" / controller
        if not hierarchy.is_dir():
            hierarchy.mkdir(parents=True)
            _mount("-t", "cgroup", "-o", controller, "cgroup", str(hierarchy))
        legacy.prepare(hierarchy, controller, order["group"], files)
    furnish(STAGE / "rootfs", order["shift"], order["steps"])
    # LXC's path must be open to the container's ids, which the lab's files need not be.
    lxc_path = STAGE / "lxc"
    (lxc_path / directory.name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(directory / "config", lxc_path / directory.name / "config")
    os.chdir("/")
    command = [
        order["lxc_start"], "--lxcpath", str(lxc_path), "--name", directory.name,
        "--daemon", "--logpriority", "INFO", "--logfile", str(directory / "lxc.log"),
    ]  # fmt: skip
    environment = {"PATH": LXC_PATH}
    os.execve(command[0], command, environment)  # noqa: S606 - this process becomes LXC's


def _unified() -> Path:
    root = groups.unified_root()
    if root is None:
        sys.exit("cgroup2 is not mounted on this machine")
    return root


def _beside(group: Path, suffix: str) -> Path:
    return group.with_name(group.name + suffix)


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"mount {' '.join(arguments)}: {done.stderr.strip()}")


def _mount_volumes(volumes: list[dict[str, Any]]) -> None:
    mounted = {mount.point for mount in mount_table()}
    for volume in volumes:
        point = STAGE / volume["point"]
        if point not in mounted:
            point.mkdir()
            _mount("-o", "loop,discard", volume["image"], str(point))


def _make_devices(devices: list[dict[str, Any]]) -> None:
    directory = STAGE / "devices"
    directory.mkdir(exist_ok=True)
    for number, device in enumerate(devices):
        node = directory / str(number)
        if node.exists():
            node.unlink()
        os.mknod(node, 0o600 | device["type"], device["number"])
        os.chown(node, device["uid"], device["gid"])
        node.chmod(device["mode"])


if __name__ == "__main__":
    boot(Path(sys.argv[1]), again=sys.argv[2:] == ["again"])
