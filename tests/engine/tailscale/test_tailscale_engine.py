"""The tailscale provider against the lab's API, under the real engine, with production's SDK."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from lab.doubles.tailscale.plugin import plugin_command
from lab.paths import LabPaths
from lab.tailscale.app import PREFIX, TAILNETS, make_app
from lab.tailscale.credentials import api_key, oauth_client
from lab.tailscale.tailnet import Tailnets
from lab.toolchain import Toolchain, ensure
from lab.world import DEFAULT_WORLD, load_world
from tests.engine.apis import ApiServer, Project

pytestmark = pytest.mark.timeout(900)  # The first one on a machine compiles the engine.

WORLD = load_world(DEFAULT_WORLD)
TAILNET = "example.org"
KEY = "tailscale:index/tailnetKey:TailnetKey"
PROGRAM = """
import json, os
import pulumi
import pulumi_tailscale as ts

asked = json.loads(os.environ["ASKED"])
key = ts.TailnetKey("key", **asked["key"])
pulumi.export("key", key.key)
device = asked.get("device")
if device:
    found = ts.get_device(hostname=device, wait_for="5s")
    ts.DeviceTags("tags", device_id=found.node_id, tags=["tag:web"])
    ts.DeviceKey("expiry", device_id=found.node_id, key_expiry_disabled=True)
if asked.get("policy"):
    ts.Acl("policy", acl=asked["policy"], reset_acl_on_destroy=True)
    ts.DnsPreferences("names", magic_dns=False)
    ts.DnsNameservers("servers", nameservers=["9.9.9.9"])
    ts.OauthClient("client", scopes=["devices:core"], tags=["tag:web"], description="a client")
"""


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    home = tmp_path_factory.mktemp("pulumi")
    return ensure(home, doubles={"tailscale": plugin_command(Path(sys.executable))})


class Tailscale:
    """The API, and what is in it."""

    tailnets: Tailnets

    def __init__(self, paths: LabPaths) -> None:
        app = make_app(WORLD, paths)
        self.tailnets = app[TAILNETS]
        self.server = ApiServer(lambda: app)
        self.url = self.server.url
        self.key = api_key(paths, TAILNET, "admin")
        self.client = oauth_client(paths, TAILNET, "deploy")

    def ask(self, path: str) -> object:
        answer = requests.get(self.url + PREFIX + path, auth=(self.key, ""), timeout=10)
        answer.raise_for_status()
        return answer.json()

    def made(self) -> list[dict[str, object]]:
        found = self.ask("/tailnet/-/keys?all=true")
        assert isinstance(found, dict)
        return list(found["keys"])


@pytest.fixture
def tailscale(tmp_path: Path) -> Iterator[Tailscale]:
    made = Tailscale(LabPaths("lab", tmp_path / "lab"))
    yield made
    made.server.stop()


@pytest.fixture
def project(toolchain: Toolchain, tmp_path: Path, tailscale: Tailscale) -> Project:
    environment = {"TAILSCALE_BASE_URL": tailscale.url, "TAILSCALE_API_KEY": tailscale.key}
    made = Project.of(toolchain, tmp_path / "project", PROGRAM, environment)
    made.asked["key"] = {"tags": ["tag:web"], "preauthorized": True, "description": "a machine"}
    return made


def secret(project: Project) -> str:
    return project.run("stack", "output", "key", "--show-secrets").stdout.strip()


def test_a_key_is_made_kept_replaced_and_taken_away(project: Project, tailscale: Tailscale) -> None:
    assert "double" in project.up()
    (first,) = tailscale.made()
    assert first["description"] == "a machine"
    assert secret(project).startswith("tskey-auth-")
    assert secret(project) not in project.run("stack", "export").stdout
    tailscale.server.calls.clear()
    project.run("preview", "--expect-no-changes")
    assert not tailscale.server.calls
    project.run("refresh", "--yes", "--expect-no-changes")

    shown = project.preview(key={**project.asked["key"], "description": "another"})
    assert f"+-{KEY}" in shown.replace("+- ", "+-")
    project.up()
    (second,) = tailscale.made()
    assert second["description"] == "another"
    assert second["id"] != first["id"]

    project.run("destroy", "--yes", "--skip-preview")
    assert tailscale.made() == []


def test_a_key_that_was_used_stays_unless_the_stack_wants_another(
    project: Project, tailscale: Tailscale
) -> None:
    project.up()
    (first,) = tailscale.made()
    tailscale.tailnets.join(secret(project), "chat")
    project.run("refresh", "--yes")
    assert project.resources()["key"]["outputs"]["invalid"] is True
    project.run("preview", "--expect-no-changes")
    project.up(key={**project.asked["key"], "recreate_if_invalid": "always"})
    ids = [key["id"] for key in tailscale.made()]
    assert len(ids) == 1
    assert ids != [first["id"]]


def test_an_oauth_client_makes_keys_of_its_tags_only(
    project: Project, tailscale: Tailscale
) -> None:
    client, value = tailscale.client
    del project.environment["TAILSCALE_API_KEY"]
    project.run("config", "set", "tailscale:oauthClientId", client)
    project.run("config", "set", "--secret", "tailscale:oauthClientSecret", value)
    project.run("config", "set", "tailscale:scopes", '["auth_keys"]')
    project.up()
    (key,) = tailscale.made()
    assert tailscale.server.calls[f"POST {PREFIX}/oauth/token"] == 1
    assert value not in project.run("stack", "export").stdout

    project.asked["key"] = {"tags": ["tag:strange"]}
    failed = project.run("up", "--yes", "--skip-preview", check=False)
    assert failed.returncode != 0
    assert "requested tags [tag:strange] are invalid or not permitted (400)" in failed.stdout
    assert [each["id"] for each in tailscale.made()] == [key["id"]]


def test_a_machine_that_joined_the_policy_and_dns(project: Project, tailscale: Tailscale) -> None:
    project.up()
    tailscale.tailnets.join(secret(project), "chat")
    policy = '{"tagOwners": {"tag:web": ["autogroup:admin"]}, /* ours */ "acls": []}'
    project.up(device="chat", policy=policy)
    (device,) = tailscale.tailnets.devices(TAILNET)
    assert (device.tags, device.key_expiry_disabled) == (["tag:web"], True)
    assert tailscale.ask("/tailnet/-/dns/nameservers") == {"dns": ["9.9.9.9"]}
    project.run("refresh", "--yes", "--expect-no-changes")
    project.run("preview", "--expect-no-changes")
    project.asked["policy"] = policy.replace("{", "{ ", 1)
    project.run("preview", "--expect-no-changes")

    project.run("destroy", "--yes", "--skip-preview")
    first = tailscale.ask("/tailnet/-/acl")
    assert isinstance(first, dict)
    assert "tag:deploy" in first["tagOwners"]
    assert tailscale.ask("/tailnet/-/dns/preferences") == {"magicDNS": False}
    assert tailscale.made() == []
    assert (
        json.loads(project.run("stack", "export").stdout)["deployment"].get("resources", []) == []
    )
