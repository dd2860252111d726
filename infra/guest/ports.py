"""Who listens on which port, from /proc: to name strangers, and services on a wrong port."""

import contextlib
import ipaddress
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .host import Host

LISTEN = "0A"


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket and the processes that hold it."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    inode: str

    def covers(self, host: str) -> bool:
        """True where a socket of ours on that address could not be opened beside it."""
        wanted = ipaddress.ip_address(host)
        return self.address.is_unspecified or wanted.is_unspecified or self.address == wanted

    def __str__(self) -> str:
        shown = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{shown}:{self.port}"


def listeners(host: Host) -> list[Listener]:
    """All listening TCP sockets of this host."""
    found = []
    for table in ("tcp", "tcp6"):
        path = host.proc / "net" / table
        if not path.is_file():
            continue
        for line in path.read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == LISTEN:
                address, port = columns[1].split(":")
                found.append(Listener(_address(address), int(port, 16), columns[9]))
    return found


def holders(inode: str, host: Host) -> list[int]:
    """The processes that hold a socket."""
    wanted = f"socket:[{inode}]"
    return sorted(
        int(process.name)
        for process in host.proc.iterdir()
        if process.name.isdigit() and wanted in _open(process)
    )


def stranger(address: str, port: int, ours: set[int], host: Host) -> str | None:
    """Who holds that port, where it is nobody of `ours`: `nginx (process 812)`."""
    for listener in listeners(host):
        if listener.port == port and listener.covers(address):
            pids = holders(listener.inode, host)
            if ours.isdisjoint(pids):
                return _named(pids, host)
    return None


def held_by(pids: set[int], host: Host) -> list[Listener]:
    """Where these processes listen."""
    return [
        listener
        for listener in listeners(host)
        if not pids.isdisjoint(holders(listener.inode, host))
    ]


def processes_of(cgroup: str, host: Host) -> set[int]:
    """The processes of a unit."""
    if not cgroup:
        return set()
    pids: set[int] = set()
    for file in host.at(f"/sys/fs/cgroup{cgroup}").rglob("cgroup.procs"):
        pids |= {int(pid) for pid in file.read_text().split()}
    return pids


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    raw = struct.pack(f"={len(words)}I", *words)
    return ipaddress.ip_address(raw)


def _open(process: Path) -> Iterator[str]:
    """What the descriptors of a process lead to; processes and descriptors come and go."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for entry in (process / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                yield os.readlink(entry)  # noqa: PTH115 - "socket:[1]" is no path


def _named(pids: list[int], host: Host) -> str:
    if not pids:
        return "a process that cannot be seen from here"
    try:
        name = (host.proc / str(pids[0]) / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        name = "a process"
    return f"{name} (process {pids[0]})"
