"""A stack with services in a lab, and what is counted on its hosts."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.labs import Result, StackFile, TestLab

UP = ("up", "--yes", "--skip-preview")
LOOK = """
import json, os, subprocess, sys

def files(*tops):
    found = {}
    for top in tops:
        for directory, names, others in os.walk(top):
            names[:] = [n for n in names if n not in ("cache", "__pycache__")]
            for name in others + [n for n in names if os.path.islink(os.path.join(directory, n))]:
                path = os.path.join(directory, name)
                s = os.lstat(path)
                found[path] = [s.st_ino, s.st_mtime_ns, s.st_ctime_ns]
    return found

def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout

units = [u for u in sys.argv[1:]]
shown = {}
for unit in units:
    text = said("systemctl", "show", "-p", "InvocationID,ActiveState", unit)
    shown[unit] = dict(line.split("=", 1) for line in text.splitlines())
log = said("journalctl", "--no-pager", "-o", "cat", "_COMM=sshd-session", "+", "_COMM=sshd")
print(json.dumps({
    "logins": log.count("Accepted publickey"),
    "files": files("/etc/systemd/system", "/etc/chat", "/opt", "/var/lib/berth", "/root/.ssh"),
    "units": shown,
}))
"""


@dataclass(frozen=True)
class Seen:
    """A host at one moment. Looking at it is a login of its own."""

    logins: int
    files: dict[str, list[int]]
    units: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Difference:
    """What happened on a host between two looks."""

    logins: int
    written: list[str]
    gone: list[str]
    restarted: list[str]


@dataclass
class Site:
    """One stack: `host` carries `chat`, which runs what `source` holds."""

    lab: TestLab
    stack: StackFile
    source: Path
    host: str = "one"

    @property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.stack.document["config"]
        return config

    @property
    def services(self) -> dict[str, Any]:
        services: dict[str, Any] = self.config.setdefault("berth:services", {})
        return services

    @property
    def service(self) -> dict[str, Any]:
        service: dict[str, Any] = self.services["chat"]
        return service

    @property
    def url(self) -> str:
        host = self.stack.hosts[self.host]
        address = (host.get("container") or host["existing"])["address"].partition("/")[0]
        return f"http://{address}:{self.service.get('port', 8000)}"

    def up(self, *words: str, check: bool = True) -> Result:
        """`pulumi up` of the stack file as it is now."""
        self.stack.write()
        return self.lab.pulumi(self.stack, *UP, *words, check=check)

    def preview(self) -> Result:
        self.stack.write()
        return self.lab.pulumi(self.stack, "preview", "--diff")

    def refused(self) -> str:
        """What an `up` says that must fail."""
        result = self.up(check=False)
        assert result.code != 0, result.text
        assert "Traceback" not in result.text
        return result.text

    def run(self, command: str, *, check: bool = True) -> str:
        """A command on the host, as root; its output."""
        return self.lab.ssh(self.host, command, check=check).text

    def look(self) -> Seen:
        units = [f"{name}.{kind}" for name in self.services for kind in ("service", "socket")]
        words = " ".join(units)
        return Seen(**json.loads(self.run(f"python3 - {words} <<'END'\n{LOOK}\nEND")))

    @contextmanager
    def watched(self) -> Iterator[list[Difference]]:
        """Appends to the list what happened meanwhile on the host."""
        found: list[Difference] = []
        before = self.look()
        yield found
        found.append(difference(before, self.look()))

    def get(self, path: str, *, check: bool = True) -> str:
        """What the service answers, asked through the lab's network."""
        script = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
        asked = self.lab.inside("python", "-c", script, self.url + path, check=check)
        return asked.text.splitlines()[-1]

    def edit(self, name: str, old: str, new: str) -> None:
        """Exchange a text in a file of the source."""
        path = self.source / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


def difference(before: Seen, after: Seen) -> Difference:
    return Difference(
        # The first look was one itself.
        logins=after.logins - before.logins - 1,
        written=sorted(p for p, s in after.files.items() if before.files.get(p) != s),
        gone=sorted(before.files.keys() - after.files.keys()),
        restarted=[
            unit
            for unit, shown in after.units.items()
            if shown["InvocationID"] != before.units.get(unit, {}).get("InvocationID")
        ],
    )


def steps(text: str) -> dict[str, str]:
    """What the engine did with each step: `chat-deploy` -> `updated`."""
    found = re.findall(r"command:remote:\w+ (\S+) (created|updated|deleted|replaced)\b", text)
    return dict(found)
