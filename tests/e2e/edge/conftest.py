"""A public name that leads through the lab's edge, a tunnel and a connector into a container."""

import base64
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.process.tls import server_context
from tests.labs import TEMPLATE, TestLab, wait_for

HERE = Path(__file__).parent
NAME = "edge-test.example.com"
BOOKWORM = "local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst"
PORT = 8443
_INSTALL = """
set -eu
export DEBIAN_FRONTEND=noninteractive
if ! command -v curl >/dev/null || ! command -v gpg >/dev/null; then
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends curl gpg >/dev/null 2>&1
fi
ring=/usr/share/keyrings/cloudflare-main.gpg
curl -fsSL https://pkg.cloudflare.com/cloudflare-main.gpg -o $ring
gpg --show-keys --with-colons $ring 2>/dev/null | grep -m 1 ^fpr
echo "deb [signed-by=$ring] https://pkg.cloudflare.com/cloudflared any main" \
    >/etc/apt/sources.list.d/cloudflared.list
apt-get update -qq
apt-get install -qq --yes --no-install-recommends cloudflared >/dev/null 2>&1
cloudflared --version
"""


@contextmanager
def guest(lab: TestLab, vm_id: int, name: str, template: str = TEMPLATE) -> Iterator[None]:
    """A container that the lab's login key opens, there as long as the block runs."""
    made = lab.api(
        "POST", "/nodes/pve/lxc", vmid=vm_id, hostname=name, ostemplate=template, unprivileged=1,
        features="nesting=1", cores=1, memory=512, swap=0, rootfs="local-lvm:4", start=1,
        net0=f"name=eth0,bridge=vmbr0,ip=192.168.1.{vm_id - 640}/24,gw=192.168.1.1",
        **{"ssh-public-keys": lab.paths.ssh_key.with_suffix(".pub").read_text()},
    )  # fmt: skip
    assert lab.finish_task(made) == "OK"
    place = f"/nodes/pve/lxc/{vm_id}"
    # Its start is a task of its own.
    wait_for(
        lambda: lab.api("GET", f"{place}/status/current")["status"] == "running", f"{name} to run"
    )
    yield
    lab.finish_task(lab.api("POST", f"{place}/status/stop"))
    assert lab.finish_task(lab.api("DELETE", place)) == "OK"


def write(lab: TestLab, host: str, path: str, content: bytes) -> None:
    text = base64.b64encode(content).decode()
    lab.ssh(host, f"mkdir -p $(dirname {path}); echo {text} | base64 -d >{path}")


def install(lab: TestLab, host: str) -> str:
    """By the steps that Cloudflare documents; what the last of them say."""
    return lab.ssh(host, f"sh -c {shlex.quote(_INSTALL)}").text


@dataclass
class Way:
    """The tunnel, and how it is asked about."""

    lab: TestLab
    host: str
    account: str
    zone: str
    tunnel: str = ""

    def api(self, method: str, path: str, body: object = None) -> Any:
        """The API's whole answer, good or bad."""
        words = [self.lab.name, method, path, *([json.dumps(body)] if body is not None else [])]
        script = HERE / "api.py"
        said = self.lab.inside("python", script, *words).text
        return json.loads(said.splitlines()[-1])

    def route(self, *rules: dict[str, Any]) -> None:
        config = {"ingress": [*rules, {"service": "http_status:404"}]}
        place = f"/accounts/{self.account}/cfd_tunnel/{self.tunnel}/configurations"
        assert self.api("PUT", place, {"config": config})["success"]

    def route_as_usual(self) -> None:
        self.route(
            {
                "hostname": NAME,
                "service": f"https://127.0.0.1:{PORT}",
                "originRequest": {"noTLSVerify": True},
            }
        )

    def curl(self, path: str, *options: str, name: str = NAME) -> tuple[int, str]:
        """Status and text, as somebody outside gets them; 0 where there was no answer."""
        mark = "\n--status--%{http_code}"
        said = self.lab.cli(
            "curl", f"https://{name}{path}", "-w", mark, *options, check=False, limit_s=60
        )
        text, _, status = said.text.rpartition("\n--status--")
        return int(status or 0), text

    def in_guest(self, command: str) -> str:
        return self.lab.ssh(self.host, command).text


@pytest.fixture(scope="module")
def way(lab: TestLab) -> Iterator[Way]:
    """With a service and a connector in one container, and the route between them."""
    with guest(lab, 881, "edge"):
        made = Way(lab, "edge", "", "")
        made.account = made.api("GET", "/accounts")["result"][0]["id"]
        made.zone = made.api("GET", "/zones?name=example.com")["result"][0]["id"]
        _publish(made)
        _serve(made)
        yield made
        made.in_guest("systemctl stop cloudflared")
        _retract(made)


def _publish(way: Way) -> None:
    tunnels = f"/accounts/{way.account}/cfd_tunnel"
    made = way.api("POST", tunnels, {"name": "edge-test", "config_src": "cloudflare"})
    way.tunnel = made["result"]["id"]
    target = f"{way.tunnel}.cfargotunnel.com"
    record = {"type": "CNAME", "name": NAME, "content": target, "proxied": True, "ttl": 1}
    assert way.api("POST", f"/zones/{way.zone}/dns_records", record)["success"]
    way.route_as_usual()
    token = way.api("GET", f"{tunnels}/{way.tunnel}/token")["result"]
    write(way.lab, way.host, "/etc/cloudflared/token", token.encode())


def _retract(way: Way) -> None:
    records = way.api("GET", f"/zones/{way.zone}/dns_records?name={NAME}")["result"]
    for record in records:
        way.api("DELETE", f"/zones/{way.zone}/dns_records/{record['id']}")
    way.api("DELETE", f"/accounts/{way.account}/cfd_tunnel/{way.tunnel}")


def _serve(way: Way) -> None:
    server_context(way.lab.paths, "e2e-origin", ["another.name"])
    chain = way.lab.paths.ca_key.with_name("e2e-origin.pem").read_bytes()
    write(way.lab, way.host, "/root/chain.pem", chain)
    write(way.lab, way.host, "/root/origin.py", (HERE / "origin.py").read_bytes())
    unit = (HERE / "cloudflared.service").read_bytes()
    write(way.lab, way.host, "/etc/systemd/system/cloudflared.service", unit)
    install(way.lab, way.host)
    way.in_guest(
        f"systemd-run -q --unit origin python3 /root/origin.py {PORT} /root/chain.pem;"
        " systemctl daemon-reload; systemctl start cloudflared"
    )
