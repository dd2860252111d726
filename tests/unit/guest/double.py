"""Doubles of the host's commands, in this process. They answer as much as the guest program asks.

Whatever is told to fail says that it is a double.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.guest.host import Result

JOURNAL = "a double's line of the journal, with s3cret-never-shown in it"


@dataclass
class Unit:
    active: str = "inactive"
    enabled: bool = False


@dataclass
class Doubles:
    """`fail` holds beginnings of calls that fail, `broken` units that end as soon as they start."""

    root: Path
    calls: list[str] = field(default_factory=list)
    fail: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    installed: list[str] = field(default_factory=list)
    units: dict[str, Unit] = field(default_factory=dict)
    users: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)

    def ask(self, argv: Sequence[str], environment: Mapping[str, str]) -> Result:
        """What the command would answer."""
        name, arguments = Path(argv[0]).name, list(argv[1:])
        call = " ".join([name, *arguments])
        self.calls.append(call)
        if call.startswith(tuple(self.fail)):
            return Result(1, "", f"this is a double of {name}, told to fail")
        match name:
            case "systemctl":
                return Result(0, self._systemctl(arguments), "")
            case "uv" if arguments[0] in {"venv", "sync"}:
                home = Path(environment["VIRTUAL_ENV"])
                (home / "bin").mkdir(parents=True)
                (home / ".lock").touch(mode=0o666)
            case "journalctl":
                return Result(0, JOURNAL, "")
            case "useradd":
                self.users.append(arguments[-1])
            case "dpkg-query":
                present = arguments[-1] in self.installed
                return Result(0, "installed" if present else "not-installed", "")
            case "apt-get" | "mount" | "uv" | "python":
                pass
            case _ if "-c" in arguments:
                return Result(0, "3.13\n", "")
            case _:
                raise AssertionError(f"no double of {call}")
        return Result(0, "", "")

    def _systemctl(self, arguments: list[str]) -> str:
        verb, names = arguments[0], [a for a in arguments if a.endswith((".service", ".socket"))]
        if verb == "list-sockets":
            return "\n".join(self.sockets)
        if verb == "show":
            return "\n".join(self._show(name) for name in names)
        for name in names:
            unit = self.units.setdefault(name, Unit())
            match verb:
                case "restart":
                    unit.active = "activating" if name in self.broken else "active"
                case "stop":
                    unit.active = "inactive"
                case "enable" | "disable":
                    unit.enabled = verb == "enable"
        return ""

    def _show(self, name: str) -> str:
        unit = self.units.get(name, Unit())
        there = (self.root / "etc/systemd/system" / name).exists()
        return (
            f"LoadState={'loaded' if there else 'not-found'}\nActiveState={unit.active}\n"
            f"SubState={'auto-restart' if unit.active == 'activating' else ''}\n"
            f"UnitFileState={'enabled' if unit.enabled else 'disabled'}\n"
            f"Result={'exit-code' if name in self.broken else 'success'}\n"
        )
