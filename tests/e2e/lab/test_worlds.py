"""Worlds other than the default one, and worlds made for stack files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.lab.conftest import unused_lab
from tests.labs import CHECKOUT, StackFile, TestLab, container, stack_file

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

WORLD = """\
proxmox:
  node: {name: berg, address: 10.66.0.2/16, gateway: 10.66.0.1, bridge: vmbr7, version: 8.4.1}
  bridges: {vmbr7: {routers: [10.66.0.1/16]}}
  storages:
    vorrat: {type: dir, content: [vztmpl], size_gb: 10}
    platten: {type: zfspool, content: [rootdir], size_gb: 50}
  templates: [{volume: "vorrat:vztmpl/eigen.tar.zst", release: trixie}]
  users:
    root@pam: {}
    wart@pve: {tokens: {stapel: {privilege_separation: false}}}
  acl: [{path: /, subject: wart@pve, role: Administrator}]
stack: {api_token: wart@pve!stapel}
"""


def test_a_world_of_other_names_and_addresses_runs_a_stack_for_it(
    own_lab: Callable[..., TestLab], tmp_path: Path
) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(WORLD)
    lab = own_lab("--world", file)
    changes = {"node": "berg", "address": "10.66.3.4/16", "gateway": "10.66.0.1",
               "bridge": "vmbr7", "storage": "platten",
               "template": {"volume": "vorrat:vztmpl/eigen.tar.zst", "system": "debian"}}  # fmt: skip
    stack = stack_file(tmp_path, {"fern": container(4711, 0, **changes)})
    lab.pulumi(stack, "up", "--yes", "--skip-preview")
    assert lab.status()["endpoint"] == "https://10.66.0.2:8006/"
    assert lab.api("GET", "/version")["version"] == "8.4.1"
    assert lab.ssh("fern", "hostname -I").text.split() == ["10.66.3.4"]
    assert lab.ssh("berg", "hostname").text == "berg\n"
    (tmp_path / "w").mkdir()
    wrong = lab.pulumi(
        stack_file(tmp_path / "w", {"nah": container(4712, 9)}), "preview", check=False
    )
    assert wrong.code != 0
    assert "there is no node pve; there is berg" in wrong.text


@pytest.mark.parametrize(
    "file", sorted((CHECKOUT / "examples").glob("Pulumi.*.yaml")), ids=lambda file: file.stem
)
def test_every_example_runs_in_a_world_made_for_it(
    own_lab: Callable[..., TestLab], tmp_path: Path, file: Path
) -> None:
    before = file.read_bytes()
    world = tmp_path / "world.yaml"
    world.write_text(unused_lab().cli("world", "--from", file).text)
    lab = own_lab("--world", world)
    stack = StackFile(file)
    lab.pulumi(stack, "up", "--yes", "--skip-preview")
    assert "logged in as" in lab.cli("greet", "--stack", file).text
    assert "unchanged" in lab.pulumi(stack, "preview", "--expect-no-changes").text
    assert file.read_bytes() == before
