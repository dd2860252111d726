"""A stack with a public name in a lab, and what Cloudflare has of it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPO
from tests.labs import Result, StackFile, TestLab, stack_file

ASK = REPO / "tests" / "e2e" / "edge" / "api.py"
ACCOUNT = "0123456789abcdef0123456789abcdef"
TUNNELS = f"/accounts/{ACCOUNT}/cfd_tunnel"
UP = ("up", "--yes", "--skip-preview")
DESTROY = ("destroy", "--run-program", "--yes", "--skip-preview")
HOST = "homebot"
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "bench", "tools")


@dataclass
class Public:
    """One service on a machine that is there already, which also runs the connector."""

    lab: TestLab
    stack: StackFile
    tunnel: str = "engine-test"
    hosts: list[str] = field(default_factory=list)

    @property
    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = self.stack.document["config"]
        return found

    @property
    def routes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.config["berth:services"]["site"]["routes"]
        return found

    def pulumi(self, *words: str, check: bool = True) -> Result:
        self.stack.write()
        return self.lab.pulumi(self.stack, *words, check=check)

    def up(self) -> str:
        return self.pulumi(*UP).text

    def changes(self) -> set[tuple[str, str]]:
        """What a preview would do, resource by resource; what is in the state alone left out."""
        said = self.pulumi("preview", "--json").text
        steps = json.loads(said[said.index("{\n") :])["steps"]
        found = {(str(s["op"]), str(s["urn"]).rpartition("::")[2]) for s in steps}
        kept = {"tunnel-ours", "public"}
        return {(op, name) for op, name in found if op not in {"same", "read"} and name not in kept}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """`result` of Cloudflare's answer; AssertionError with its text."""
        words = [json.dumps(body)] if body is not None else []
        said = self.lab.inside("python", ASK, self.lab.name, method, path, *words).text
        answer = json.loads(said.splitlines()[-1])
        assert answer["success"], f"{method} {path}: {said}"
        return answer["result"]

    def tunnels(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"{TUNNELS}?is_deleted=false")
        return found

    def the_tunnel(self) -> str:
        [found] = self.tunnels()
        return str(found["id"])

    def rules(self, tunnel: str) -> list[dict[str, Any]]:
        found = self.ask("GET", f"{TUNNELS}/{tunnel}/configurations")
        rules: list[dict[str, Any]] = found["config"]["ingress"]
        return rules

    def write_rules(self, tunnel: str, *rules: dict[str, Any]) -> None:
        body = {"config": {"ingress": [*rules, {"service": "http_status:404"}]}}
        self.ask("PUT", f"{TUNNELS}/{tunnel}/configurations", body)

    def records(self) -> list[dict[str, Any]]:
        [zone] = self.ask("GET", "/zones?name=jackshome.com")
        found: list[dict[str, Any]] = self.ask("GET", f"/zones/{zone['id']}/dns_records")
        return found

    def make_record(self, name: str, content: str) -> None:
        [zone] = self.ask("GET", "/zones?name=jackshome.com")
        body = {"type": "A", "name": name, "content": content, "ttl": 1, "comment": "by hand"}
        self.ask("POST", f"/zones/{zone['id']}/dns_records", body)

    def bend_record(self, name: str) -> None:
        self.ask("PATCH", self._path_of(name), {"content": "elsewhere.jackshome.com"})

    def delete_record(self, name: str) -> None:
        self.ask("DELETE", self._path_of(name))

    def _path_of(self, name: str) -> str:
        [zone] = self.ask("GET", "/zones?name=jackshome.com")
        [record] = self.ask("GET", f"/zones/{zone['id']}/dns_records?name={name}")
        return f"/zones/{zone['id']}/dns_records/{record['id']}"

    def curl(self, url: str) -> Result:
        return self.lab.cli(
            "curl", url, "--silent", "--show-error", "--max-time", "20", check=False
        )

    def connector(self) -> str:
        """The process that is cloudflared now; another one after a restart."""
        return self.lab.ssh(HOST, "systemctl show -P MainPID cloudflared").text.split()[-1]


def route(hostname: str, **more: Any) -> dict[str, Any]:
    return {"hostname": hostname, **more}


@pytest.fixture
def public(lab: TestLab, tmp_path: Path) -> Iterator[Public]:
    """The stack file alone: nothing is made yet. Whatever was, is gone afterwards."""
    made = stack_of(lab, tmp_path)
    yield made
    take_away(made)


def stack_of(lab: TestLab, directory: Path) -> Public:
    """A stack file with one service on a machine that is there, and a route to it."""
    source = shutil.copytree(REPO / "app", directory / "app", ignore=LEFT_OUT)
    made = stack_file(directory, {HOST: {"existing": {"address": "192.168.200.37"}}})
    public = Public(lab, made)
    public.config["berth:id"] = "pub1icpu"
    public.config["berth:services"] = {
        "site": {
            "host": HOST,
            "source": str(source),
            "app": "app:app",
            "port": 8100,
            "routes": [route("site.jackshome.com")],
        }
    }
    public.config["berth:cloudflare"] = {
        "account": ACCOUNT,
        "zone": "jackshome.com",
        "tunnel": public.tunnel,
        "connector": {"host": HOST},
    }
    return public


def take_away(public: Public) -> None:
    """Whatever the stack has made, and whatever else is at Cloudflare."""
    lab, made = public.lab, public.stack
    if lab.pulumi(made, *DESTROY, check=False).code != 0:
        lab.pulumi(made, "cancel", "--yes", check=False)
        lab.pulumi(made, *DESTROY, check=False)
    for tunnel in public.tunnels():
        public.ask("DELETE", f"{TUNNELS}/{tunnel['id']}")
    for record in public.records():
        [zone] = public.ask("GET", "/zones?name=jackshome.com")
        public.ask("DELETE", f"/zones/{zone['id']}/dns_records/{record['id']}")
