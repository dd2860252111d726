"""`lab ssh` and `lab greet`: logging in to machines of the lab with pinned host keys."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.cli import declared
from lab.cli.answers import Question, to_json
from lab.errors import LabError
from lab.host.enter import command_inside
from lab.paths import LabPaths
from lab.process.ask import ask_running

_PROOF = (
    '. /etc/os-release && echo "$(hostname): $PRETTY_NAME, logged in as $(id -un) '
    'at $(hostname -I | cut -d" " -f1)"'
)


def log_in(paths: LabPaths, host: str, command: list[str]) -> None:
    """Replace this process by ssh to `host` (a name or a VM id)."""
    full = ssh_command(paths, host, command)
    os.execvp(full[0], full)  # noqa: S606 - replaces this process on purpose


def ssh_command(paths: LabPaths, host: str, command: list[str]) -> list[str]:
    """What is executed to log in to `host`; LabError where that cannot succeed."""
    return _ssh(paths, _machine(paths, host), command)


def greet(paths: LabPaths, stack: Path) -> None:
    """Log in to every host that the stack file declares, then ask every service of it."""
    config = declared.read_config(stack)
    hosts = declared.hosts(config)
    if not hosts:
        raise LabError(f"{stack}: declares no hosts under berth:hosts; nothing to log in to")
    for name, host in hosts.items():
        machine = _machine(paths, host.machine, name) | ({"user": host.user} if host.user else {})
        done = subprocess.run(_ssh(paths, machine, [_PROOF]), check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise LabError(
                f"{name}: logging in failed (ssh exit code {done.returncode}); "
                f"`bin/lab status` shows whether it runs"
            )
    sys.stdout.flush()
    _ask(paths, declared.questions(config))


def _ask(paths: LabPaths, questions: list[Question]) -> None:
    if not questions:
        return
    done = subprocess.run(
        command_inside(paths, [sys.executable, "-m", "lab.cli.answers"]),
        input=to_json(questions),
        env={**os.environ, "SSL_CERT_FILE": str(paths.ca_bundle)},
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LabError("a service did not answer as it must: the lines above say which")


def _machine(paths: LabPaths, host: str, called: str | None = None) -> dict[str, Any]:
    status = ask_running(paths, "GET", "/status")
    if not status["containers"]:
        raise LabError(
            f"{called or host}: cannot be logged in to in a lab without containers "
            f"({'; '.join(status['missing'])})"
        )
    machines = status["machines"]
    for machine in machines:
        if host in {machine["name"], str(machine.get("vm_id", "")), machine["address"]}:
            if not machine["running"]:
                raise LabError(f"{called or host}: is off; `bin/lab start {machine['name']}`")
            found: dict[str, Any] = machine
            return found
    known = ", ".join(sorted(m["name"] for m in machines)) or "none"
    raise LabError(f"{called or host}: is no machine of the lab; there are: {known}")


def _ssh(paths: LabPaths, machine: dict[str, Any], command: list[str]) -> list[str]:
    options = {
        # Without quotes a blank would begin another file, and `%` is ssh's own mark.
        "UserKnownHostsFile": f'"{_escaped(paths.known_hosts)}"',
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        # A key or nothing: no question for a password.
        "BatchMode": "yes",
        "LogLevel": "ERROR",
        "ConnectTimeout": 10,
        # A machine that was switched on a moment ago: one attempt a second.
        "ConnectionAttempts": 10,
    }
    flags = [f for key, value in options.items() for f in ("-o", f"{key}={value}")]
    login = ["-F", "/dev/null", "-i", _escaped(paths.ssh_key), "-p", str(machine["port"])]
    return command_inside(
        paths, ["ssh", *login, *flags, f"{machine['user']}@{machine['address']}", *command]
    )


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
