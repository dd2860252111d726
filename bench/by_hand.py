"""What one edited line costs by hand: rsync and a restart over one warm connection. Prints seconds.

Run inside the lab: `python -m bench.by_hand ADDRESS KEY KNOWN_HOSTS SOURCE`.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVICE = "bench"
ROUNDS = 5


def edit(source: Path, number: int) -> None:
    """One line more, never twice the same."""
    with (source / "app" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write(f"# edit {number} {time.time_ns()}\n")


def main(address: str, key: str, known_hosts: str, source: Path) -> None:
    """Warm up once, then print a list of seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        login = [
            "ssh", "-F", "/dev/null", "-i", key, "-o", f"UserKnownHostsFile={known_hosts}",
            "-o", f"ControlPath={scratch}/way", "-o", "ControlMaster=auto",
            "-o", "ControlPersist=60",
        ]  # fmt: skip
        host = f"root@{address}"
        subprocess.run([*login, host, "true"], check=True)
        # Into the release that runs: this is not how berth does it, and why it is quick.
        sent = f"{host}:/opt/{SERVICE}/current/"
        took = []
        for number in range(ROUNDS + 1):
            edit(source, number)
            started = time.perf_counter()
            rsync = ["rsync", "-a", "--no-owner", "--no-group", "-e", " ".join(login)]
            subprocess.run([*rsync, f"{source}/", sent], check=True)
            subprocess.run([*login, host, "systemctl", "restart", SERVICE], check=True)
            took.append(time.perf_counter() - started)
        subprocess.run([*login, "-O", "exit", host], check=True, capture_output=True)
    print(json.dumps(took[1:]))


if __name__ == "__main__":
    _address, _key, _known_hosts, _source = sys.argv[1:]
    main(_address, _key, _known_hosts, Path(_source))
