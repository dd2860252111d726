"""Debian packages: only missing ones are installed, and none is ever removed."""

from contextlib import AbstractContextManager

from . import lock
from .host import Host
from .report import Report

APT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "NEEDRESTART_MODE": "l",
    "APT_LISTCHANGES_FRONTEND": "none",
}
APT_LIMIT_S = 900
OPTIONS = ["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
RECOMMENDS = ["--no-install-recommends"]
REMEDY = "check that the host reaches its package sources: `apt-get update` on it"


def missing(names: list[str], host: Host) -> list[str]:
    """Those that are not fully installed."""
    return [name for name in names if not _installed(name, host)]


def ensure(names: list[str], host: Host) -> list[str]:
    """Install what is missing; gives the names that were installed."""
    wanted = missing(names, host)
    if wanted:
        with alone(host):
            update(host)
            install(wanted, host)
    return wanted


def alone(host: Host) -> AbstractContextManager[int]:
    """One step of a host at a time: apt waits for itself when it installs, not when it updates."""
    return lock.held(host, "apt", APT_LIMIT_S, Report([]))


def update(host: Host, *options: str, remedy: str = REMEDY) -> None:
    """Read the package lists again."""
    host.run(
        ["apt-get", *OPTIONS, *options, "update"],
        limit_s=APT_LIMIT_S,
        environment=APT,
        remedy=remedy,
    )


def install(names: list[str], host: Host) -> None:
    """Install what the lists have."""
    host.run(
        ["apt-get", *OPTIONS, "install", "--yes", "--no-remove", *RECOMMENDS, *names],
        limit_s=APT_LIMIT_S,
        environment=APT,
        remedy=REMEDY,
    )


def _installed(name: str, host: Host) -> bool:
    result = host.ask(["dpkg-query", "--show", "--showformat=${db:Status-Status}\n", name])
    return result.code == 0 and set(result.output.split()) == {"installed"}
