"""`lab ssh` and `lab greet`: logging in to machines of the lab with pinned host keys."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError
from lab.host.enter import command_inside
from lab.paths import LabPaths
from lab.process.control import ask_running

_PROOF = (
    '. /etc/os-release && echo "$(hostname): $PRETTY_NAME, logged in as $(id -un) '
    'at $(hostname -I | cut -d" " -f1)"'
)


def log_in(paths: LabPaths, host: str, command: list[str]) -> None:
    """Replace this process by ssh to `host` (a name or a VM id)."""
    machine = _machine(paths, host)
    full = _ssh(paths, machine, command)
    os.execvp(full[0], full)  # noqa: S606 - replaces this process on purpose


def greet(paths: LabPaths, stack: Path) -> None:
    """Log in to every host that the stack file declares, and show what is there."""
    declared = _declared_hosts(stack)
    if not declared:
        raise LabError(f"{stack}: declares no hosts under berth:hosts; nothing to log in to")
    for host in declared:
        done = subprocess.run(
            _ssh(paths, _machine(paths, host), [_PROOF]), check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode != 0:
            raise LabError(
                f"{host}: logging in failed (ssh exit code {done.returncode}); "
                f"`bin/lab status` shows whether it runs"
            )
    sys.stdout.flush()


def _declared_hosts(stack: Path) -> list[str]:
    document = yaml.safe_load(stack.read_text(encoding="utf-8")) or {}
    return list(document.get("config", {}).get("berth:hosts", {}))


def _machine(paths: LabPaths, host: str) -> dict[str, Any]:
    machines = ask_running(paths, "GET", "/status")["machines"]
    for machine in machines:
        if host in {machine["name"], str(machine.get("vm_id", ""))}:
            if not machine["running"]:
                raise LabError(f"{host}: is off; `bin/lab start {host}` or start its container")
            found: dict[str, Any] = machine
            return found
    known = ", ".join(sorted(m["name"] for m in machines)) or "none"
    raise LabError(f"{host}: no machine of the lab has this name; there are: {known}")


def _ssh(paths: LabPaths, machine: dict[str, Any], command: list[str]) -> list[str]:
    options = {
        "UserKnownHostsFile": paths.known_hosts,
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "LogLevel": "ERROR",
        "ConnectTimeout": 10,
    }
    flags = [f for key, value in options.items() for f in ("-o", f"{key}={value}")]
    login = ["-F", "/dev/null", "-i", str(paths.ssh_key), "-p", str(machine["port"])]
    return command_inside(paths, ["ssh", *login, *flags, f"root@{machine['address']}", *command])
