"""A lab of the tests' own, and stack files to run in it."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests
import yaml

from lab.cli.app import DEFAULT_STACK
from lab.cli.login import ssh_command
from lab.cli.run import command_for
from lab.cli.status import read_status
from lab.errors import LabError
from lab.host.enter import namespace_file
from lab.host.namespaces import run_in_network
from lab.paths import LabPaths
from lab.proxmox.credentials import password

CHECKOUT = Path(__file__).resolve().parent.parent
T = TypeVar("T")
TEMPLATE = "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst"


@dataclass(frozen=True)
class Result:
    """What a command said; `text` is both streams, in order."""

    code: int
    text: str


@dataclass(frozen=True)
class TestLab:
    """A running lab and its command line."""

    __test__ = False
    name: str

    @property
    def paths(self) -> LabPaths:
        return LabPaths.of(self.name)

    def command(self, *words: str | Path) -> list[str]:
        """`bin/lab WORDS` for this lab."""
        verb, *rest = [str(word) for word in words]
        return [str(CHECKOUT / "bin" / "lab"), verb, "--name", self.name, *rest]

    def cli(
        self,
        *words: str | Path,
        check: bool = True,
        limit_s: float = 240,
        environment: Mapping[str, str] | None = None,
        cwd: Path = CHECKOUT,
    ) -> Result:
        """Run `bin/lab WORDS`; with `check`, any exit code but 0 fails the test with its text."""
        caller = {**os.environ, **(environment or {})}
        return _finished(self.command(*words), caller, check=check, limit_s=limit_s, cwd=cwd)

    def status(self) -> dict[str, Any]:
        return read_status(self.paths)

    def pulumi(
        self,
        stack: "StackFile",
        *words: str,
        check: bool = True,
        environment: Mapping[str, str] | None = None,
        inside: Mapping[str, str] | None = None,
    ) -> Result:
        """A pulumi command on a stack file, with colours off.

        `environment` adds to the caller's, `inside` to what the lab makes of it.
        """
        flags = ["--color", "never", "--non-interactive"]
        assignments = [f"{name}={value}" for name, value in (inside or {}).items()]
        command = [*(["env", *assignments] if assignments else []), "pulumi", *words, *flags]
        return self._run(stack.path, command, check=check, environment=environment)

    def inside(self, *words: str | Path, check: bool = True, limit_s: float = 240) -> Result:
        """Any command in the lab's network."""
        command = [str(word) for word in words]
        return self._run(DEFAULT_STACK, command, check=check, limit_s=limit_s)

    def ssh(self, host: str, command: str, *, check: bool = True) -> Result:
        """A command on a machine, as root."""
        try:
            full = ssh_command(self.paths, host, [command])
        except LabError as error:
            return _refused(error, check=check)
        return _finished(full, os.environ, check=check)

    def _run(
        self,
        stack: Path,
        command: list[str],
        *,
        check: bool,
        limit_s: float = 240,
        environment: Mapping[str, str] | None = None,
    ) -> Result:
        """As `bin/lab run` does it, without the start of another Python."""
        said: list[str] = []
        caller = {**os.environ, **(environment or {})}
        try:
            full, inside = command_for(
                self.paths, stack, command, directory=CHECKOUT, caller=caller, say=said.append
            )
        except LabError as error:
            return _refused(error, check=check)
        done = _finished(full, inside, check=check, limit_s=limit_s)
        return Result(done.code, "".join(f"{line}\n" for line in said) + done.text)

    def api(self, method: str, path: str, /, **data: str | int) -> Any:
        """The API's answer to root@pam, asked from inside the lab; AssertionError with its text."""
        status = self.status()
        base = f"{status['endpoint']}api2/json"

        def exchange() -> requests.Response:
            with requests.Session() as session:
                session.trust_env = False
                session.verify = str(self.paths.ca_certificate)
                login = {"username": "root@pam", "password": password(self.paths, "root@pam")}
                made = session.post(f"{base}/access/ticket", data=login, timeout=30)
                ticket = made.json()["data"]
                return session.request(
                    method,
                    base + path,
                    cookies={"PVEAuthCookie": ticket["ticket"]},
                    headers={"CSRFPreventionToken": ticket["CSRFPreventionToken"]},
                    timeout=60,
                    params=data if method in {"GET", "DELETE"} else None,
                    data=data if method not in {"GET", "DELETE"} else None,
                )

        namespace = namespace_file(self.paths)
        try:
            answer = run_in_network(namespace, exchange) if namespace.exists() else exchange()
        except (requests.RequestException, TypeError) as error:
            raise AssertionError(f"{method} {path}: {error}") from error
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.reason} {answer.text}"
        return answer.json()["data"]

    def guests(self) -> set[int]:
        """The ids of all containers that the API knows."""
        return {int(row["vmid"]) for row in self.api("GET", "/nodes/pve/lxc")}

    def remove_guests(self, vm_ids: set[int]) -> None:
        """By the API alone, which takes a tenth of what a destroy does."""
        for vm_id in sorted(vm_ids):
            place = f"/nodes/pve/lxc/{vm_id}"
            if self.api("GET", f"{place}/config").get("protection"):
                self.api("PUT", f"{place}/config", protection=0)
            ended = self.finish_task(self.api("DELETE", place, force=1))
            assert ended == "OK", f"{vm_id}: {ended}"

    def finish_task(self, upid: str, *, limit_s: float = 60) -> str:
        """Wait for a task of the API; its exit status."""
        node = upid.split(":")[1]

        def done() -> str | None:
            state = self.api("GET", f"/nodes/{node}/tasks/{upid}/status")
            status: str | None = state.get("exitstatus")
            return status

        return wait_for(done, f"task {upid} to end", limit_s=limit_s)


def _refused(error: LabError, *, check: bool) -> Result:
    assert not check, str(error)
    return Result(1, f"error: {error}\n")


def _finished(
    command: list[str],
    environment: Mapping[str, str],
    *,
    check: bool,
    limit_s: float = 240,
    cwd: Path = CHECKOUT,
) -> Result:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit_s,
        check=False,
    )
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stdout}"
    return Result(done.returncode, done.stdout)


def wait_for(look: Callable[[], T | None], what: str, *, limit_s: float = 30) -> T:
    """The first answer of `look` that is neither None nor False; fails with `what` in the end."""
    deadline = time.monotonic() + limit_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit_s} s for {what}, in vain")
        time.sleep(0.1)


@dataclass
class StackFile:
    """A stack file in a directory of the test's; `write` puts the document there."""

    path: Path
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def hosts(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["config"]["berth:hosts"]
        return found

    def container(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.hosts[name]["container"]
        return found

    def write(self) -> None:
        self.path.write_text(yaml.safe_dump(self.document, sort_keys=False), encoding="utf-8")


def container(vm_id: int, octet: int, **changes: Any) -> dict[str, Any]:
    """A small container at 192.168.1.`octet`."""
    return {
        "container": {
            "node": "pve",
            "vm_id": vm_id,
            "address": f"192.168.1.{octet}/24",
            "gateway": "192.168.1.1",
            "bridge": "vmbr0",
            "cores": 1,
            "memory_mb": 512,
            "swap_mb": 0,
            "disk_gb": 4,
            "storage": "local-lvm",
            "template": {"volume": TEMPLATE},
            **changes,
        }
    }


def stack_file(
    directory: Path, hosts: Mapping[str, Any], *, identity: str = "t3stt3st"
) -> StackFile:
    """A stack file with these hosts; endpoint and credentials are left to the environment."""
    config = {"berth:id": identity, "berth:hosts": dict(hosts)}
    made = StackFile(directory / "Pulumi.test.yaml", {"config": config})
    made.write()
    return made


@contextmanager
def running_lab(
    name: str, *up: str, environment: Mapping[str, str] | None = None
) -> Iterator[TestLab]:
    """A lab that is up meanwhile, and gone afterwards; another run has labs of its own."""
    lab = TestLab(f"{name[:5]}{os.getpid()}")
    lab.cli("up", *up, limit_s=1200, environment=environment)
    try:
        yield lab
    finally:
        lab.cli("down")
