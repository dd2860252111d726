"""Which of the kernel's controllers can limit containers here, and with which values.

A usual Debian has all of them on cgroup2; some machines have them on cgroup v1, a few nowhere.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from lab.guests import GuestSpec
from lab.host.groups import unified_root

_WANTED = ("memory", "cpuset", "cpu")
_PERIOD_US = 100_000
_MIB = 1024 * 1024

Legacy = dict[str, list[tuple[str, str]]]
"""For each cgroup v1 controller the files to write, in order."""


@dataclass(frozen=True)
class Controllers:
    """What there is: names of controllers on cgroup2, and on cgroup v1."""

    unified: frozenset[str]
    legacy: frozenset[str]

    @property
    def memory(self) -> str | None:
        """`cgroup2`, `cgroup v1`, or None where nothing limits memory."""
        if "memory" in self.unified:
            return "cgroup2"
        return "cgroup v1" if "memory" in self.legacy else None


def find_controllers() -> Controllers:
    """Ask the kernel."""
    root = unified_root()
    unified = (root / "cgroup.controllers").read_text().split() if root else []
    # Kernels without cgroup v1 have no such file.
    table = Path("/proc/cgroups")
    lines = table.read_text(encoding="ascii").splitlines()[1:] if table.exists() else []
    enabled = {line.split()[0] for line in lines if line.split()[3] == "1"}
    return Controllers(
        unified=frozenset(unified) & frozenset(_WANTED),
        legacy=frozenset(_WANTED).intersection(enabled).difference(unified),
    )


def unified_limits(spec: GuestSpec, controllers: Controllers) -> list[tuple[str, str]]:
    """Files of the container's cgroup2 group and their values."""
    limits: list[tuple[str, str]] = []
    if "memory" in controllers.unified:
        limits.append(("memory.max", str(spec.memory_mb * _MIB)))
        limits.append(("memory.swap.max", str(spec.swap_mb * _MIB)))
    if "cpuset" in controllers.unified:
        limits.append(("cpuset.cpus", _cpus(spec)))
    if "cpu" in controllers.unified:
        quota = str(int(spec.cpulimit * _PERIOD_US)) if spec.cpulimit else "max"
        limits.append(("cpu.max", f"{quota} {_PERIOD_US}"))
    return limits


def legacy_limits(spec: GuestSpec, controllers: Controllers) -> Legacy:
    """The same on cgroup v1. Files that a kernel may lack are marked by a trailing `?`."""
    limits: Legacy = {}
    if "memory" in controllers.legacy:
        both = (spec.memory_mb + spec.swap_mb) * _MIB
        limits["memory"] = [
            ("memory.limit_in_bytes", str(spec.memory_mb * _MIB)),
            ("memory.memsw.limit_in_bytes?", str(both)),
        ]
    if "cpuset" in controllers.legacy:
        limits["cpuset"] = [("cpuset.cpus", _cpus(spec))]
    if "cpu" in controllers.legacy:
        quota = int(spec.cpulimit * _PERIOD_US) if spec.cpulimit else -1
        limits["cpu"] = [("cpu.cfs_quota_us?", str(quota))]
    return limits


def _cpus(spec: GuestSpec) -> str:
    """The first `cores` processors of this machine; all of them when it has fewer."""
    present = sorted(os.sched_getaffinity(0))
    return ",".join(str(cpu) for cpu in present[: spec.cores or len(present)])
