"""What this machine lacks for real containers, as sentences with a remedy."""

import os
import re
import shutil
import sys
from pathlib import Path

from lab.host.controllers import find_controllers
from lab.host.groups import unified_root
from lab.host.images import may_grow_mounted

_PROGRAMS = {
    "lxc-start": "lxc",
    "lxc-usernsexec": "lxc",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "losetup": "mount",
    "mkfs.ext4": "e2fsprogs",
    "resize2fs": "e2fsprogs",
    "tar": "tar",
    "zstd": "zstd",
    "xz": "xz-utils",
}
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def obstacles() -> list[str]:
    """Why no container can run here; empty when they can."""
    if sys.platform != "linux":
        return [f"containers need Linux, this is {sys.platform}; use a Linux machine for them"]
    if os.geteuid() != 0:
        return ["containers need root; run the same command with sudo", *_missing_programs()]
    found = [*_missing_programs()]
    if not Path("/dev/loop-control").exists():
        found.append(
            "disk images need loop devices, and /dev/loop-control is not there; run: modprobe loop"
        )
    if not re.search(r"\text4$", Path("/proc/filesystems").read_text(), re.MULTILINE):
        found.append("disk images need ext4, which this kernel does not know; run: modprobe ext4")
    if unified_root() is None:
        found.append(
            "containers need cgroup2, which is mounted nowhere; run: mkdir -p "
            "/sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified"
        )
    for kind, file in (("network", "net"), ("user", "user"), ("mount", "mnt")):
        if not Path(f"/proc/self/ns/{file}").exists():
            found.append(f"this kernel has no {kind} namespaces; use one of Debian's")
    if _apparmor_is_on() and shutil.which("apparmor_parser", path=_SBIN) is None:
        found.append("AppArmor is on and LXC needs its parser; run: apt-get install apparmor")
    return found


def _missing_programs() -> list[str]:
    path = f"{os.environ.get('PATH', os.defpath)}:{_SBIN}"
    missing = {n: package for n, package in _PROGRAMS.items() if not shutil.which(n, path=path)}
    if not missing:
        return []
    packages = " ".join(sorted(set(missing.values())))
    sudo = "" if os.geteuid() == 0 else "sudo "
    return [f"{', '.join(missing)}: not installed; run: {sudo}apt-get install {packages}"]


def _apparmor_is_on() -> bool:
    switch = Path("/sys/module/apparmor/parameters/enabled")
    return switch.exists() and switch.read_text().strip() == "Y"


def limits() -> dict[str, str | None]:
    """For `lab status`: what limits memory here, and how a disk of a running container grows."""
    return {
        "memory": find_controllers().memory,
        "disk_growth": "online" if may_grow_mounted() else "with a restart of the container",
    }
