"""The Debian packages that real containers need, and how they get onto the machine."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from lab.errors import LabError
from lab.toolchain.jobs import CommandFailed, Jobs
from lab.toolchain.progress import Task, board

PACKAGES = (
    "ca-certificates",
    "curl",
    "debootstrap",
    "e2fsprogs",
    "iproute2",
    "lxc",
    "mount",
    "openssh-client",
    "procps",
    "xz-utils",
    "zstd",
    "util-linux",
)

_INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends")
# Installed packages stay as they are; another apt at work is waited for.
_CAREFULLY = ("--no-upgrade", "--no-remove", "-o", "DPkg::Lock::Timeout=600")


def missing_debian_packages(packages: Sequence[str] = PACKAGES) -> list[str]:
    """Which of them are not installed.

    Raises `LabError` on a machine that is no Debian or has no apt.
    """
    if absent := [tool for tool in ("dpkg-query", "apt-get") if shutil.which(tool) is None]:
        raise LabError(
            f"containers: this machine has no {' and no '.join(absent)}: it is no Debian, nor "
            f"derived from it; install what there gives lxc, debootstrap, newuidmap, ip and "
            f"mkfs.ext4, or work without containers"
        )
    answer = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n", *packages],
        capture_output=True,
        text=True,
        check=False,  # it ends with 1 when it does not know one of them
    )
    present = {
        name
        for status, _, name in (line.partition(" ") for line in answer.stdout.splitlines())
        if status == "installed"
    }
    return [name for name in packages if name not in present]


def ensure_debian_packages(
    packages: Sequence[str] = PACKAGES, *, out: IO[str] | None = None
) -> list[str]:
    """Install what is missing and return its names.

    Raises `LabError` when this is no Debian, when it takes root (with the command to run), or when
    apt fails (with what it said).
    """
    missing = missing_debian_packages(packages)
    if not missing:
        return []
    if os.geteuid() != 0:
        raise LabError(
            f"containers: Debian packages are missing: {', '.join(missing)}; "
            f"run: sudo {' '.join(_INSTALL)} {' '.join(missing)}"
        )
    with board(out) as shown, shown.task("Debian packages") as task:
        _install(missing, task)
    return missing


def _install(missing: Sequence[str], task: Task) -> None:
    install = [*_INSTALL, *_CAREFULLY, *missing]
    try:
        if not _known_to_apt(missing):
            _apt(["apt-get", "update"], task, "reading the package lists")
            _apt(install, task, f"installing {', '.join(missing)}")
            return
        try:
            _apt(install, task, f"installing {', '.join(missing)}")
        except CommandFailed:
            # Lists that are too old name files that the mirror no longer has.
            _apt(["apt-get", "update"], task, "reading the package lists anew")
            _apt(install, task, f"installing {', '.join(missing)}")
    except CommandFailed as failure:
        said = "\n".join(f"    {line}" for line in failure.lines[-12:])
        raise LabError(
            f"containers: `{' '.join(failure.command)}` ended with {failure.code}:\n{said}\n"
            f"Put that right, then try again; what is missing: {', '.join(missing)}"
        ) from failure


def _known_to_apt(packages: Sequence[str]) -> bool:
    answer = subprocess.run(
        ["apt-cache", "policy", *packages], capture_output=True, text=True, check=False
    )
    candidates = [line for line in answer.stdout.splitlines() if "Candidate:" in line]
    return len(candidates) == len(packages) and not any("(none)" in line for line in candidates)


def _apt(command: Sequence[str], task: Task, text: str) -> None:
    task.says(text)
    Jobs().run(
        command,
        directory=Path("/"),
        environment={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
    )
