"""Removes a lab by its name, from outside: whether its process runs, was killed or never came back
after a reboot of the machine."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from lab.errors import LabError
from lab.host import groups
from lab.host.controllers import find_controllers
from lab.host.enter import namespace_file
from lab.host.images import loop_devices
from lab.host.mounts import mount_table
from lab.host.network import remove_network
from lab.host.stage import PRIVATE_MOUNTS, STAGE
from lab.paths import LabPaths

_SCRIPT = Path(__file__).with_name("scripts") / "remove-legacy-groups.sh"
_END_WITHIN_S = 20.0
_POLITE_S = 3.0
_POLL_S = 0.02


def remove_lab(paths: LabPaths) -> None:
    """Remove all of it, as often as one likes; LabError names what would not go."""
    if os.geteuid() == 0:
        _end_visitors(paths)
        _end_groups(paths)
        _detach_images(paths)
        remove_network(paths)
    if paths.root.exists():
        shutil.rmtree(paths.root)
    if left := leftovers(paths):
        raise LabError(
            f"lab {paths.name}: something is left: {'; '.join(left)}; `bin/lab down` tries again"
        )


def leftovers(paths: LabPaths) -> list[str]:
    """Everything on this machine that belongs to the lab."""
    files = [f"files in {paths.root}"] if paths.root.exists() else []
    if os.geteuid() != 0:
        # Without root there are files only; the rest may be root's own lab of the same name.
        return files
    found = [f"process {pid} in its network" for pid in _visitors(paths)]
    found += [f"control group {group}" for group in _all_groups(paths) if group.exists()]
    found += [f"loop device {name}" for name in loop_devices(paths.root)]
    found += [f"mount {point}" for point in _mount_points(paths)]
    if namespace_file(paths).exists():
        found.append(f"network namespace {paths.namespace}")
    return found + files


def _visitors(paths: LabPaths) -> list[int]:
    """Processes in the lab's network namespace that no container is: `lab run`, ssh."""
    if not namespace_file(paths).exists():
        return []
    wanted = namespace_file(paths).stat()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                network = (entry / "ns" / "net").stat()
            except OSError:
                continue  # it has just ended
            if (network.st_dev, network.st_ino) == (wanted.st_dev, wanted.st_ino):
                found.append(int(entry.name))
    return found


def _end_visitors(paths: LabPaths) -> None:
    contained = {pid for group in _unified_groups(paths) for pid in _members_below(group)}
    for number, patience_s in ((signal.SIGTERM, _POLITE_S), (signal.SIGKILL, _END_WITHIN_S)):
        visitors = [pid for pid in _visitors(paths) if pid not in contained]
        for pid in visitors:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + patience_s
        while set(visitors) & set(_visitors(paths)) and time.monotonic() < deadline:
            time.sleep(_POLL_S)


def _members_below(group: Path) -> Iterator[int]:
    for file in group.rglob("cgroup.procs"):
        yield from groups.members(file.parent)


def _end_groups(paths: LabPaths) -> None:
    for group in _unified_groups(paths):
        groups.kill(group)
        groups.wait_empty(group, _END_WITHIN_S)
        if not groups.populated(group):
            groups.remove(group)
    controllers = sorted(find_controllers().legacy)
    if any(group.exists() for group in _legacy_groups(paths)) or controllers:
        done = subprocess.run(
            [*PRIVATE_MOUNTS, str(_SCRIPT), str(STAGE), paths.namespace, *controllers],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise LabError(f"lab {paths.name}: its control groups stay: {done.stderr.strip()}")


def _all_groups(paths: LabPaths) -> list[Path]:
    return [*_unified_groups(paths), *_legacy_groups(paths)]


def _unified_groups(paths: LabPaths) -> list[Path]:
    root = groups.unified_root()
    return [root / paths.namespace] if root else []


def _legacy_groups(paths: LabPaths) -> list[Path]:
    return [m.point / paths.namespace for m in mount_table() if m.kind == "cgroup"]


def _detach_images(paths: LabPaths) -> None:
    for point in _mount_points(paths):
        subprocess.run(["umount", "--lazy", str(point)], check=True)
    deadline = time.monotonic() + _END_WITHIN_S
    while names := loop_devices(paths.root):
        # They detach themselves with their last mount; one without a mount is told to.
        if time.monotonic() > deadline:
            for name in names:
                subprocess.run(["losetup", "--detach", f"/dev/{name}"], check=True)
            return
        time.sleep(_POLL_S)


def _mount_points(paths: LabPaths) -> list[Path]:
    """Mounts below the lab's directory, the innermost first."""
    points = [m.point for m in mount_table() if paths.root in (m.point, *m.point.parents)]
    return sorted(points, reverse=True)
