"""Finds the Pulumi and the plugins that a machine's user has installed, and only reads them."""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.toolchain.pins import Plugin

LANGUAGE_HOST = "pulumi-language-python"
_MARK = ".berth-lab"


@dataclass(frozen=True)
class InstalledPulumi:
    """A Pulumi with its Python language host."""

    command: Path
    language_host: Path
    version: str


def fits(version: str, pinned: str) -> bool:
    """Whether an engine can stand in for the pinned one: same major version, and not older.

    Pulumi keeps its engines compatible with older SDKs within a major version.
    """
    found, wanted = _numbers(version), _numbers(pinned)
    return found is not None and wanted is not None and found[:1] == wanted[:1] and found >= wanted


def installed_pulumi(pinned: str) -> InstalledPulumi | None:
    """The first `pulumi` on PATH whose version fits and that has its language host.

    The host is beside it or on PATH. The engines that labs built for themselves do not count.
    """
    for entry in os.get_exec_path():
        command = Path(entry).absolute() / "pulumi"
        if not os.access(command, os.X_OK) or is_ours(command.parent.parent):
            continue
        beside = command.resolve().parent / LANGUAGE_HOST
        host = str(beside) if os.access(beside, os.X_OK) else shutil.which(LANGUAGE_HOST)
        version = _version_of(command)
        if host is not None and version is not None and fits(version, pinned):
            return InstalledPulumi(command, Path(host), version)
    return None


def caller_pulumi_home() -> Path:
    """Where the user's own Pulumi keeps its things, also when called from within a lab."""
    explicit = os.environ.get("PULUMI_HOME")
    if explicit and not is_ours(Path(explicit)):
        return Path(explicit).absolute()
    try:
        return Path.home() / ".pulumi"
    except RuntimeError:  # a user without a home has installed nothing there
        return Path(os.devnull)


def mark_as_ours(home: Path) -> None:
    """Tell a lab's PULUMI_HOME from a user's."""
    home.mkdir(parents=True, exist_ok=True)
    (home / _MARK).touch()


def is_ours(home: Path) -> bool:
    return (home / _MARK).exists()


def installed_plugin(plugin: Plugin, pulumi_home: Path) -> Path | None:
    """The directory of a completely installed plugin in exactly this version."""
    directory = pulumi_home / "plugins" / plugin.directory
    unfinished = directory.with_name(f"{directory.name}.partial")
    if unfinished.exists() or not (directory / plugin.executable).is_file():
        return None
    return directory


def _version_of(command: Path) -> str | None:
    # It writes into its home at every start: never into the user's.
    with tempfile.TemporaryDirectory(prefix="berth-pulumi-") as home:
        environment = {**os.environ, "PULUMI_HOME": home, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        try:
            answer = subprocess.run(
                [command, "version"],
                env=environment,
                cwd=home,
                capture_output=True,
                text=True,
                timeout=20,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
    return answer.stdout.strip().removeprefix("v")


def _numbers(version: str) -> tuple[int, ...] | None:
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)(?:\+.*)?", version)
    return None if found is None else tuple(int(number) for number in found.groups())
