"""What of a lab is on this machine, asked of the kernel and not of the lab."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.labs import TestLab

_GROUPS = (
    "for c in $(awk '$4 == 1 {print $1}' /proc/cgroups); do "
    'mount -t cgroup -o "$c" cgroup /mnt 2>/dev/null || continue; '
    'find /mnt -name "$1*"; umount /mnt; done; mount -t cgroup2 cgroup2 /mnt; find /mnt -name "$1*"'
)


def traces(lab: TestLab, *, inodes: frozenset[int] = frozenset()) -> list[str]:
    """Processes, control groups of both versions, namespaces, loop devices, mounts, interfaces and
    files of a lab. `inodes`: network namespaces that its machines had."""
    name, root = lab.paths.namespace, str(lab.paths.root)
    found = [f"namespace {entry}" for entry in Path("/run/netns").glob(f"{name}*")]
    found += [f"file {root}"] * lab.paths.root.exists()
    script = ["unshare", "--mount", "sh", "-c", _GROUPS, "sh", name]
    groups = subprocess.run(script, capture_output=True, text=True, check=False).stdout
    found += [f"group {line}" for line in groups.splitlines()]
    for file in Path("/sys/block").glob("loop*/loop/backing_file"):
        if file.exists() and root in file.read_text():
            found.append(f"loop device {file.parent.parent.name}")
    found += [f"mount {line}" for line in Path("/proc/self/mountinfo").read_text().splitlines()
              if root in line or name in line]  # fmt: skip
    found += [f"process {entry}" for entry in _processes(lab, name, root, inodes)]
    return found


def _processes(lab: TestLab, name: str, root: str, inodes: frozenset[int]) -> list[str]:
    word = re.compile(rf"{re.escape(root)}\b|{re.escape(name)}\b|lab\.process\0{lab.name}\0")
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_text(errors="replace")
            about = command + (entry / "cgroup").read_text()
            network = (entry / "ns" / "net").stat().st_ino
        except OSError:
            continue  # it has just ended
        if word.search(about) or network in inodes:
            found.append(f"{entry.name} {command!r}")
    return found


@contextmanager
def namespaces(lab: TestLab) -> Iterator[frozenset[int]]:
    """Network namespaces of the lab and of the machines that run in it.

    They are held meanwhile: the kernel gives the number of one that is gone to the next.
    """
    inits = [file.read_text().strip() for file in lab.paths.guests.glob("*/init.pid")]
    networks = [Path("/run/netns", lab.paths.namespace)]
    networks += [Path("/proc", init, "ns", "net") for init in inits]
    with ExitStack() as held:
        files = [held.enter_context(n.open("rb")) for n in networks if n.exists()]
        yield frozenset(os.fstat(file.fileno()).st_ino for file in files)


def interfaces() -> set[str]:
    """Network interfaces outside of all labs."""
    return {entry.name for entry in Path("/sys/class/net").iterdir()}
