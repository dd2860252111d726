"""The cloudflare provider against the lab's API, under the real engine, with production's SDK."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from lab.cloudflare.app import PREFIX, make_app
from lab.cloudflare.credentials import api_token
from lab.doubles.cloudflare.plugin import plugin_command
from lab.paths import LabPaths
from lab.toolchain import Toolchain, ensure
from lab.world import DEFAULT_WORLD, load_world
from tests.engine.apis import ApiServer, Project

pytestmark = pytest.mark.timeout(900)  # The first one on a machine compiles the engine.

WORLD = load_world(DEFAULT_WORLD)
ACCOUNT = WORLD.cloudflare.accounts["home"].id
ZONE = WORLD.cloudflare.zone_id("jackshome.com")
TUNNEL = "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"
PROGRAM = """
import json, os
import pulumi
import pulumi_cloudflare as cf

asked = json.loads(os.environ["ASKED"])
account, zone = asked["account"], asked["zone"]
tunnel = cf.ZeroTrustTunnelCloudflared(
    "tunnel", account_id=account, name=asked["name"], config_src="cloudflare"
)
rules = [
    {
        "hostname": f"{name}.jackshome.com",
        "service": "https://192.168.1.111:8000",
        "origin_request": {"no_tls_verify": True},
    }
    for name in asked["routes"]
]
cf.ZeroTrustTunnelCloudflaredConfig(
    "config",
    account_id=account,
    tunnel_id=tunnel.id,
    config={"ingresses": [*rules, {"service": "http_status:404"}]},
)
for name in asked["routes"]:
    cf.DnsRecord(
        name,
        zone_id=zone,
        name=f"{name}.jackshome.com",
        type="CNAME",
        content=tunnel.id.apply(lambda id: f"{id}.cfargotunnel.com"),
        proxied=True,
        ttl=1,
        comment="ours",
    )
found = cf.get_zero_trust_tunnel_cloudflared_token_output(account_id=account, tunnel_id=tunnel.id)
pulumi.export("token", pulumi.Output.secret(found.token))
"""


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    home = tmp_path_factory.mktemp("pulumi")
    return ensure(home, doubles={"cloudflare": plugin_command(Path(sys.executable))})


class Cloudflare:
    """The API, and what is in it."""

    def __init__(self, paths: LabPaths) -> None:
        self.server = ApiServer(lambda: make_app(WORLD, paths))
        self.url = self.server.url + PREFIX
        self.token = api_token(paths, "deploy")

    def ask(self, method: str, path: str, body: object = None) -> object:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=10)
        answer.raise_for_status()
        return answer.json()["result"]

    def tunnels(self) -> list[dict[str, object]]:
        found = self.ask("GET", f"/accounts/{ACCOUNT}/cfd_tunnel?is_deleted=false")
        assert isinstance(found, list)
        return found

    def records(self) -> list[str]:
        found = self.ask("GET", f"/zones/{ZONE}/dns_records")
        assert isinstance(found, list)
        return [record["name"] for record in found]

    def writes(self) -> list[str]:
        """Requests that changed something since the last time, in short."""
        counted = [
            f"{method} {path.rsplit('/', 1)[1] if path.endswith('configurations') else kind(path)}"
            for (method, path) in (call.split(" ", 1) for call in self.server.calls.elements())
            if method != "GET"
        ]
        self.server.calls.clear()
        return sorted(counted)


def kind(path: str) -> str:
    return "dns_records" if "dns_records" in path else "cfd_tunnel"


@pytest.fixture
def cloudflare(tmp_path: Path) -> Iterator[Cloudflare]:
    made = Cloudflare(LabPaths("lab", tmp_path / "lab"))
    yield made
    made.server.stop()


@pytest.fixture
def project(toolchain: Toolchain, tmp_path: Path, cloudflare: Cloudflare) -> Project:
    environment = {
        "CLOUDFLARE_BASE_URL": cloudflare.url,
        "CLOUDFLARE_API_TOKEN": cloudflare.token,
    }
    made = Project.of(toolchain, tmp_path / "project", PROGRAM, environment)
    made.asked.update(account=ACCOUNT, zone=ZONE, name="home", routes=["chat"])
    return made


def test_a_route_is_published_and_an_unchanged_stack_asks_for_the_token_only(
    project: Project, cloudflare: Cloudflare
) -> None:
    said = project.up()
    assert "double" in said
    assert [tunnel["name"] for tunnel in cloudflare.tunnels()] == ["home"]
    assert cloudflare.records() == ["chat.jackshome.com"]
    cloudflare.server.calls.clear()

    project.run("preview", "--expect-no-changes")

    (tunnel,) = cloudflare.server.calls
    assert tunnel.endswith("/token")
    token = project.run("stack", "output", "token", "--show-secrets").stdout.strip()
    assert token not in project.run("stack", "export").stdout
    project.run("refresh", "--yes", "--expect-no-changes")


def test_a_route_that_is_added_writes_the_list_and_one_record_and_a_destroy_leaves_nothing(
    project: Project, cloudflare: Cloudflare
) -> None:
    project.up()
    cloudflare.writes()
    project.up(routes=["chat", "api"])
    assert cloudflare.writes() == ["POST dns_records", "PUT configurations"]
    project.up(routes=["api"])
    assert cloudflare.writes() == ["DELETE dns_records", "PUT configurations"]
    assert cloudflare.records() == ["api.jackshome.com"]
    project.run("destroy", "--yes", "--skip-preview")
    assert (cloudflare.tunnels(), cloudflare.records()) == ([], [])
    left = json.loads(project.run("stack", "export").stdout)["deployment"]
    assert left.get("resources", []) == []


def test_a_tunnel_is_renamed_in_place_and_replaced_for_another_account(
    project: Project, cloudflare: Cloudflare
) -> None:
    project.up()
    (before,) = cloudflare.tunnels()
    cloudflare.writes()
    assert "replace" not in project.preview(name="elsewhere")
    project.up()
    (after,) = cloudflare.tunnels()
    assert (after["id"], after["name"]) == (before["id"], "elsewhere")
    assert cloudflare.writes().count("PATCH cfd_tunnel") == 1
    shown = project.preview(account="f" * 32)
    assert "+-cloudflare:index/zeroTrustTunnelCloudflared" in shown.replace("+- ", "+-")


def test_a_refresh_sees_what_was_changed_outside(project: Project, cloudflare: Cloudflare) -> None:
    project.up()
    (tunnel,) = cloudflare.tunnels()
    path = f"/accounts/{ACCOUNT}/cfd_tunnel/{tunnel['id']}/configurations"
    foreign = {"hostname": "hand.jackshome.com", "service": "http://1.2.3.4"}
    rules = [foreign, {"service": "http_status:404"}]
    cloudflare.ask("PUT", path, {"config": {"ingress": rules}})
    project.run("refresh", "--yes")
    kept = project.resources()["config"]["outputs"]["config"]["ingresses"]
    assert kept[0] == foreign
    project.up()
    written = cloudflare.ask("GET", path)
    assert isinstance(written, dict)
    assert [rule.get("hostname") for rule in written["config"]["ingress"]] == [
        "chat.jackshome.com",
        None,
    ]


def test_a_tunnel_that_was_deleted_outside_is_kept_with_the_time(
    project: Project, cloudflare: Cloudflare
) -> None:
    project.up()
    (tunnel,) = cloudflare.tunnels()
    cloudflare.ask("DELETE", f"/accounts/{ACCOUNT}/cfd_tunnel/{tunnel['id']}")
    project.run("refresh", "--yes", "--target", project.resources()["tunnel"]["urn"])
    assert project.resources()["tunnel"]["outputs"]["deletedAt"]


def test_a_tunnel_can_be_imported_by_account_and_id(
    project: Project, cloudflare: Cloudflare
) -> None:
    body = {"name": "home", "config_src": "cloudflare"}
    made = cloudflare.ask("POST", f"/accounts/{ACCOUNT}/cfd_tunnel", body)
    assert isinstance(made, dict)
    place = f"{ACCOUNT}/{made['id']}"
    project.run(
        "import", TUNNEL, "tunnel", place, "--yes", "--generate-code=false", "--protect=false"
    )
    project.up()
    assert [tunnel["id"] for tunnel in cloudflare.tunnels()] == [made["id"]]


def test_a_refusal_of_the_api_reaches_the_person(project: Project, cloudflare: Cloudflare) -> None:
    cloudflare.ask(
        "POST",
        f"/zones/{ZONE}/dns_records",
        {"type": "A", "name": "chat", "content": "192.0.2.1", "ttl": 1},
    )
    failed = project.run("up", "--yes", "--skip-preview", check=False)
    assert failed.returncode != 0
    assert "81053" in failed.stdout
    assert "already exists" in failed.stdout
