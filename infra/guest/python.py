"""Which interpreter an environment is made with: the host's, a named one, or one that uv brings."""

import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from . import uv
from .failure import StepFailed
from .host import Host
from .report import Report
from .state import HOME

SYSTEM = "/usr/bin/python3"
DIRECTORIES = ("/usr/local/bin", "/usr/bin")
VERSION = re.compile(r"[0-9]+\.[0-9]+")


@dataclass(frozen=True)
class Interpreter:
    """A path on the host, `major.minor`, and the machine it is for."""

    path: str
    version: str
    machine: str


def find(wanted: str | None, host: Host, report: Report) -> Interpreter:
    """The interpreter that `python` names: None the host's own, a version, or a path."""
    if wanted is None or wanted.startswith("/"):
        return _asked(wanted or _system(host), host)
    if (found := _installed(wanted, host)) is not None:
        return found
    return _brought(wanted, host, report)


def _system(host: Host) -> str:
    return SYSTEM if host.at(SYSTEM).exists() else sys.executable


def _asked(path: str, host: Host) -> Interpreter:
    if not host.at(path).exists() and not Path(path).exists():
        raise StepFailed(
            f"python {path}: not on this host",
            remedy="name an interpreter that is there, or a version such as 3.12",
        )
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = host.run([path, "-I", "-c", code]).strip()
    return Interpreter(path, version, platform.machine())


def _installed(wanted: str, host: Host) -> Interpreter | None:
    short = VERSION.match(wanted)
    if short is None:
        raise StepFailed(f"python {wanted}: no version of Python")
    if wanted == short[0]:
        for directory in DIRECTORIES:
            if host.at(f"{directory}/python{wanted}").exists():
                return Interpreter(f"{directory}/python{wanted}", wanted, platform.machine())
    for home in sorted(host.at(f"{HOME}/python").glob(f"cpython-{wanted}*"), reverse=True):
        program = home / "bin" / f"python{short[0]}"
        exact = home.name.split("-")[1]
        if program.exists() and (exact == wanted or exact.startswith(f"{wanted}.")):
            return Interpreter(str(program), short[0], platform.machine())
    return None


def _brought(wanted: str, host: Host, report: Report) -> Interpreter:
    report.say(f"getting Python {wanted}")
    host.run(
        [str(uv.ensure(host, report)), "python", "install", "--no-bin", wanted],
        limit_s=uv.PYTHON_LIMIT_S,
        environment=uv.surroundings(host),
        remedy=f"this host has no Python {wanted} and could not download one; install it on the "
        f"host, name another in `python`, or leave `python` out to use the host's own",
    )
    found = _installed(wanted, host)
    if found is None:
        raise StepFailed(f"python {wanted}: uv installed it, but not where it was told to")
    return found
