"""A running container seen from outside: its processes, network and figures."""

import asyncio
import json
import os
import signal
import time
from contextlib import suppress
from ipaddress import ip_interface
from pathlib import Path

from lab.guests import LiveInterface, Usage
from lab.host.commands import run

_SYSTEMD_HALT = signal.SIGRTMIN + 3


def ask_to_halt(pid: int) -> None:
    """Send an init what it takes for "power off": systemd has a signal of its own."""
    with suppress(ProcessLookupError, FileNotFoundError):
        status = Path(f"/proc/{pid}/status").read_text()
        blocked = int(status.partition("SigBlk:")[2].split()[0], 16)
        waits_for_it = blocked & (1 << (_SYSTEMD_HALT - 1))
        os.kill(pid, _SYSTEMD_HALT if waits_for_it else signal.SIGPWR)


def runs_in(pid: int, group: str) -> bool:
    """Whether a process lives below a cgroup2 group, given as part of its path."""
    try:
        cgroups = Path(f"/proc/{pid}/cgroup").read_text()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    # A dead one that nobody has asked after yet keeps its group.
    return state not in {"Z", "X"} and group in cgroups.partition("0::")[2]


async def ended(pid: int, limit_s: float | None) -> bool:
    """Wait for the end of any process, without polling; False when it still runs."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(descriptor, over.set)
    try:
        async with asyncio.timeout(limit_s):
            await over.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return True


async def interfaces(pid: int) -> tuple[LiveInterface, ...]:
    """What `ip address` shows in the network namespace of `pid`."""
    text = await run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-json", "address"])
    return tuple(
        LiveInterface(
            name=link["ifname"],
            hwaddr=link.get("address", "00:00:00:00:00:00"),
            addresses=tuple(
                ip_interface(f"{address['local']}/{address['prefixlen']}")
                for address in link["addr_info"]
            ),
        )
        for link in json.loads(text)
    )


def begin_of(pid: int) -> float:
    """When a process began, in seconds after the machine's own boot."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK")


def since(begin: float) -> float:
    """Seconds from `begin`, as `begin_of` has it, to now."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - begin


def usage(pid: int, memory_file: Path | None) -> Usage:
    """Figures of the container whose init is `pid`; 0 for memory where nothing counts it."""
    disk = os.statvfs(f"/proc/{pid}/root")
    received = sent = 0
    for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]:
        name, _, figures = line.partition(":")
        if name.strip() != "lo":
            received += int(figures.split()[0])
            sent += int(figures.split()[8])
    return Usage(
        pid=pid,
        uptime_s=int(since(begin_of(pid))),
        memory_bytes=int(memory_file.read_text()) if memory_file else 0,
        disk_bytes=(disk.f_blocks - disk.f_bfree) * disk.f_frsize,
        netin_bytes=received,
        netout_bytes=sent,
    )
