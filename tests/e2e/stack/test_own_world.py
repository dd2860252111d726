"""A user's own stack file, as it is, in a lab whose world was made from it."""

from pathlib import Path

import pytest

from tests.labs import TEMPLATE, StackFile, TestLab, running_lab

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

STACK = f"""\
# A stack of somebody else: another node, network, bridge and storage, and a name for the node.
encryptionsalt: v1:c2FsdHNhbHQ=:v1:bm9uY2Vub25jZQ==:c29tZWJvZHkgZWxzZSdz
config:
  berth:id: ownst4ck
  berth:proxmox: {{endpoint: "https://kiste.home.example:8006/", api_token: token}}
  berth:ssh: {{private_key: key}}
  berth:hosts:
    web:
      container: {{node: kiste, vm_id: 731, address: 10.77.5.31/24, gateway: 10.77.5.254,
                  bridge: vmbr3, cores: 1, memory_mb: 512, swap_mb: 0, disk_gb: 4,
                  storage: tank-zfs, pool: home, template: {{volume: "{TEMPLATE}"}}}}
    old: {{existing: {{address: 10.77.5.9, user: deploy, port: 2222}}}}
  berth:secrets:
    token: {{secure: v1:c29tZWJvZHk=:ZWxzZSdz}}
    key: {{secure: v1:c29tZWJvZHk=:ZWxzZSdz}}
"""


@pytest.fixture
def own(tmp_path: Path) -> StackFile:
    stack = StackFile(tmp_path / "somewhere" / "Pulumi.home.yaml")
    stack.path.parent.mkdir()
    stack.path.write_text(STACK)
    return stack


def test_a_users_own_stack_runs_unmodified_in_a_world_made_for_it(
    own: StackFile, tmp_path: Path
) -> None:
    world = tmp_path / "world.yaml"
    world.write_text(TestLab("ownworld").cli("world", "--from", own.path).text)
    with running_lab("ownworld", "--containers", "--world", str(world)) as lab:
        lab.pulumi(own, "up", "--yes", "--skip-preview")
        assert "10.77.5.31/24" in lab.ssh("web", "ip -4 -o address show dev eth0").text
        assert lab.api("GET", "/pools/home")["members"][0]["vmid"] == 731
        assert "unchanged" in lab.pulumi(own, "preview", "--expect-no-changes").text
        lab.pulumi(own, "destroy", "--run-program", "--yes", "--skip-preview")
        assert lab.api("GET", "/nodes/kiste/lxc") == []
    assert own.path.read_text() == STACK
    assert [p.name for p in own.path.parent.iterdir()] == [own.path.name]
