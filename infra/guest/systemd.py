"""systemd on the host: unit files, what units do now, starting and stopping them."""

import re
from dataclasses import dataclass
from pathlib import Path

from . import files
from .failure import StepFailed
from .host import Host
from .report import Report

UNITS = "/etc/systemd/system"
MARK = re.compile(rb"^# berth: (\S+)$", re.MULTILINE)
JOURNAL_LINES = 50
QUICK_S = 60


@dataclass(frozen=True)
class Unit:
    """What `systemctl show` says of a unit."""

    name: str
    load: str
    active: str
    sub: str
    enabled: bool
    cgroup: str
    result: str
    path: str

    @property
    def is_active(self) -> bool:
        return self.active in {"active", "reloading"}


def show(names: list[str], host: Host) -> dict[str, Unit]:
    """Each unit by name, also one that is not there."""
    properties = "Id,LoadState,ActiveState,SubState,UnitFileState,ControlGroup,Result,FragmentPath"
    output = host.run(["systemctl", "show", "--property", properties, *names])
    found = {}
    for name, block in zip(names, output.strip().split("\n\n"), strict=True):
        given = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        found[name] = Unit(
            name,
            given.get("LoadState", ""),
            given.get("ActiveState", ""),
            given.get("SubState", ""),
            given.get("UnitFileState", "") == "enabled",
            given.get("ControlGroup", ""),
            given.get("Result", ""),
            given.get("FragmentPath", ""),
        )
    return found


def file_of(name: str, host: Host) -> Path:
    """Where a unit of ours is written."""
    return host.at(UNITS) / name


def owner_of(content: bytes) -> str | None:
    """Whose a unit file is, None where it is not from here."""
    found = MARK.search(content)
    return found[1].decode() if found else None


def socket_on(port: int, host: Host) -> str | None:
    """The socket unit through which systemd itself listens on a port."""
    listed = host.ask(["systemctl", "list-sockets", "--no-legend", "--plain"]).output
    for line in listed.splitlines():
        where, *units = line.split()
        if where.endswith(f":{port}") and units:
            return units[0]
    return None


def is_from_here(unit: str, host: Host) -> bool:
    """Whether a deploy has made this unit, for whatever service."""
    return owner_of(files.read(file_of(unit, host)) or b"") is not None


def demand_ours(
    names: list[str], owner: str, host: Host, another: str = "give the service another `unit`"
) -> None:
    """StepFailed where a unit of that name is there and belongs to somebody else.

    `another` says how it gets another name.
    """
    for name in names:
        content = files.read(file_of(name, host))
        if content is not None:
            if (of := owner_of(content)) == owner:
                continue
            whose = f"belongs to {of}" if of else "was not made by berth"
            raise StepFailed(
                f"{name}: a unit of this name is on the host and {whose}",
                remedy=f"{another}, or remove that one by hand",
            )
        unit = show([name], host)[name]
        if unit.load not in {"not-found", ""}:
            raise StepFailed(
                f"{name}: a unit of this name is on the host already ({unit.path})",
                remedy=another,
            )


def write(units: dict[str, str], host: Host) -> list[str]:
    """Write unit files; gives the names of those that changed. Does not reload."""
    return [
        name
        for name, text in units.items()
        if files.write(file_of(name, host), text.encode(), mode=0o644, ids=host.root_ids)
    ]


def reload(host: Host) -> None:
    """Make systemd read its unit files again."""
    host.run(["systemctl", "daemon-reload"], limit_s=QUICK_S)


def enable(names: list[str], host: Host) -> None:
    """Start them at boot from now on."""
    host.run(["systemctl", "enable", "--quiet", *names], limit_s=QUICK_S)


def start(name: str, limit_s: float, host: Host) -> None:
    """Start a unit, or start it anew where it runs, and wait until systemd calls it started."""
    if _failed(name, host):
        host.run(["systemctl", "reset-failed", name], limit_s=QUICK_S)
    host.run(["systemctl", "restart", name], limit_s=limit_s)


def stop(names: list[str], limit_s: float, host: Host) -> None:
    """Stop those units, and wait until they are."""
    if names:
        host.run(["systemctl", "stop", *names], limit_s=limit_s)


def remove(names: list[str], limit_s: float, host: Host, report: Report) -> list[str]:
    """Stop, disable and remove units of ours; gives those that were there."""
    present = [name for name in names if file_of(name, host).is_file()]
    if not present:
        return []
    report.say(f"stopping {', '.join(present)}")
    # The socket first: a connection in between would start the service again.
    ordered = sorted(present, key=lambda name: not name.endswith(".socket"))
    stop(ordered, limit_s, host)
    host.run(["systemctl", "disable", "--quiet", *ordered], limit_s=QUICK_S)
    for name in present:
        file_of(name, host).unlink()
    reload(host)
    for name in present:
        if _failed(name, host):
            host.run(["systemctl", "reset-failed", name], limit_s=QUICK_S)
    return present


def journal(name: str, host: Host) -> str:
    """The last lines that a unit and its processes wrote."""
    options = ["--lines", str(JOURNAL_LINES), "--no-pager", "--output", "short-iso"]
    result = host.ask(["journalctl", "--unit", name, *options])
    return result.output.strip() or f"no lines ({result.errors.strip() or 'nothing was logged'})"


def _failed(name: str, host: Host) -> bool:
    return show([name], host)[name].active == "failed"
