"""A Pulumi project to try the toolchain with, and what runs below an engine."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab.toolchain import Toolchain


@dataclass(frozen=True)
class Project:
    """A Pulumi project in a directory of its own, with a backend of its own."""

    directory: Path
    environment: dict[str, str]
    pulumi: Path

    def write(self, program: str, file: str = "__main__.py") -> None:
        (self.directory / file).write_text(program)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.pulumi, *arguments, "--non-interactive"],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [self.pulumi, *arguments, "--non-interactive"],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as engine:
            try:
                yield engine
            finally:
                engine.kill()


def clean_path() -> str:
    """PATH without the engines that others have installed."""
    entries = [entry for entry in os.get_exec_path() if not (Path(entry) / "pulumi").exists()]
    return os.pathsep.join(entries)


def project_of(toolchain: Toolchain, directory: Path) -> Project:
    directory.mkdir()
    (directory / "Pulumi.yaml").write_text("name: tried\nruntime: python\n")
    (directory / "backend").mkdir()
    project = Project(
        directory=directory,
        environment={
            **toolchain.environment({**os.environ, "PATH": clean_path()}),
            "PULUMI_BACKEND_URL": f"file://{directory}/backend",
            "PULUMI_CONFIG_PASSPHRASE": "throw-away",
        },
        pulumi=toolchain.pulumi,
    )
    made = project.run("stack", "init", "one")
    assert made.returncode == 0, made.stderr
    return project


def descendants(process: int) -> list[psutil.Process]:
    return psutil.Process(process).children(recursive=True)


def command_line(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def wait_for_all(process: int, *parts: str) -> list[psutil.Process]:
    """The descendants, once each of `parts` is in the command line of one of them."""
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        found = descendants(process)
        lines = [command_line(one) for one in found]
        if all(any(part in line for line in lines) for part in parts):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{parts} did not all start within 30 s")
