"""What `boot.py` is told to do for one container: its order, as plain data."""

import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.guests import Device, GuestError, GuestSpec
from lab.host.controllers import Controllers, legacy_limits
from lab.host.identity import boot_steps
from lab.paths import LabPaths

SHIFT = 100_000
"""What user and group ids of an unprivileged container are outside: Proxmox's own range."""


def shift_of(spec: GuestSpec) -> int:
    """How far ids inside are from ids outside."""
    return SHIFT if spec.unprivileged else 0


@dataclass(frozen=True)
class FoundDevice:
    """A device of this machine that a container gets."""

    device: Device
    type: int
    number: int

    @property
    def rule(self) -> str:
        """As a control group's device list names it: `c 10:200`."""
        letter = "c" if self.type == stat.S_IFCHR else "b"
        return f"{letter} {os.major(self.number)}:{os.minor(self.number)}"


def find_devices(spec: GuestSpec) -> tuple[FoundDevice, ...]:
    """Look the container's devices up; GuestError for one that is not there."""
    return tuple(_find(device) for device in spec.devices)


def _find(device: Device) -> FoundDevice:
    try:
        found = Path(device.path).stat()
    except OSError as error:
        raise GuestError(f"device {device.path}: {error.strerror}") from error
    kind = stat.S_IFMT(found.st_mode)
    if kind not in {stat.S_IFCHR, stat.S_IFBLK}:
        raise GuestError(f"device {device.path}: is no device")
    return FoundDevice(device, kind, found.st_rdev)


def device_orders(devices: Iterable[FoundDevice], shift: int) -> list[dict[str, int]]:
    """How to make the node of each device."""
    return [
        {
            "type": found.type,
            "number": found.number,
            "uid": shift + found.device.uid,
            "gid": shift + found.device.gid,
            "mode": 0o660 if found.device.mode is None else found.device.mode,
        }
        for found in devices
    ]


def boot_order(
    spec: GuestSpec,
    paths: LabPaths,
    controllers: Controllers,
    devices: tuple[FoundDevice, ...],
    nameservers: tuple[str, ...],
) -> dict[str, Any]:
    """The order as JSON data; `nameservers` for a container that names none."""
    shift = shift_of(spec)
    mounts = [(volume, f"mount{number}") for number, volume in enumerate(spec.mounts)]
    return {
        "group": f"{paths.namespace}/{spec.key}",
        "lxc_start": shutil.which("lxc-start"),
        "shift": shift,
        "volumes": [
            {"image": str(volume.image), "point": point}
            for volume, point in [(spec.rootfs, "rootfs"), *mounts]
        ],
        "devices": device_orders(devices, shift),
        "legacy": legacy_limits(spec, controllers),
        "steps": boot_steps(spec, spec.nameservers or nameservers),
    }
