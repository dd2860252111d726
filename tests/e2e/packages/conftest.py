"""A bare network namespace, the gateway on its edge, and unchanged clients inside it."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lab.host.namespaces import network_of, open_socket_in
from lab.packages.cache import FileCache
from lab.packages.dns import NameServer
from lab.packages.gateway import Gateway
from lab.packages.sources import PackageHosts, find_package_hosts
from lab.paths import LabPaths
from lab.process.tls import ensure_authority, server_context

ROUTER = "10.213.7.1"
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_LIMIT_S = 120

# What a guest has: the lab's name server, and certificates that include the lab's own.
_INSIDE = """\
mount --make-rprivate /
mount --bind "$RESOLV" /etc/resolv.conf
mount --bind "$TRUST" /etc/ssl/certs/ca-certificates.crt
exec "$@"
"""


@dataclass
class Bare:
    """A namespace without any route, held open by the process `pid`."""

    pid: int
    authority: LabPaths
    directory: Path

    async def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run an unchanged client in the namespace; output and errors together."""
        resolv = self.directory / "resolv.conf"
        resolv.write_text(f"nameserver {ROUTER}\n")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "RESOLV": str(resolv),
            "TRUST": str(self.authority.ca_bundle),
            "SSL_CERT_FILE": str(BUNDLE),
            "PIP_CERT": str(BUNDLE),
        }
        enter = ["nsenter", f"--net=/proc/{self.pid}/ns/net", "unshare", "--mount"]
        process = await asyncio.create_subprocess_exec(
            *enter, "sh", "-c", _INSIDE, "sh", *command,
            env=environment,
            cwd=self.directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), _LIMIT_S)
        code = process.returncode
        assert code is not None
        return subprocess.CompletedProcess(command, code, out.decode(errors="replace"))


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Bare]:
    authority = LabPaths("t", tmp_path / "lab")
    ensure_authority(authority)
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo ready && exec sleep infinity"],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        for words in (
            "link set lo up",
            "link add lab type bridge",
            f"address add {ROUTER}/24 dev lab",
            "link set lab up",
        ):
            inside = ["nsenter", f"--net=/proc/{holder.pid}/ns/net", "ip", *words.split()]
            subprocess.run(inside, check=True)
        home = tmp_path / "home"
        home.mkdir()
        yield Bare(holder.pid, authority, home)
    finally:
        holder.kill()
        holder.communicate()


@dataclass
class Way:
    """The gateway and what it serves."""

    gateway: Gateway
    hosts: PackageHosts


@pytest.fixture
async def way(bare: Bare, tmp_path: Path) -> AsyncIterator[Way]:
    network = network_of(bare.pid)
    hosts = await find_package_hosts(os.environ)
    gateway = Gateway(
        hosts,
        FileCache(tmp_path / "cache"),
        lambda host: server_context(bare.authority, host, [host]),
    )
    names = NameServer({}, hosts.all, IPv4Address(ROUTER))
    await gateway.start(
        [open_socket_in(network, ROUTER, 80)], [open_socket_in(network, ROUTER, 443)]
    )
    await names.start(
        [open_socket_in(network, ROUTER, 53, kind=socket.SOCK_DGRAM)],
        [open_socket_in(network, ROUTER, 53)],
    )
    yield Way(gateway, hosts)
    await names.close()
    await gateway.close()


@pytest.fixture
def pip() -> list[str]:
    return [sys.executable, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check"]


@pytest.fixture
def uv() -> list[str]:
    found = shutil.which("uv", path=str(Path(sys.executable).parent))
    assert found, "uv is one of the lab's own packages"
    return [found, "--no-cache"]


@pytest.fixture
def apt(bare: Bare) -> list[str]:
    """apt-get with the machine's sources and a state of its own."""
    options = {
        "Dir::State": bare.directory / "state",
        "Dir::Cache": bare.directory / "cache",
        "APT::Sandbox::User": "root",
    }
    for directory in ("state/lists/partial", "cache/archives/partial"):
        (bare.directory / directory).mkdir(parents=True)
    return [
        "apt-get",
        *(word for pair in options.items() for word in ("-o", "=".join(map(str, pair)))),
    ]
