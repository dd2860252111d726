"""The lab's side of a stack comes from the world file and the lab's own state."""

from pathlib import Path

from lab.paths import LabPaths
from lab.proxmox.credentials import ensure_credentials
from lab.stack.side import lab_side, node_endpoint
from lab.world import DEFAULT_WORLD, World, load_world

URLS = {
    "cloudflare_url": "https://cloudflare.lab/client/v4",
    "tailscale_url": "https://tailscale.lab",
}


def _world(**node: object) -> World:
    world = load_world(DEFAULT_WORLD).model_dump(mode="json")
    world["proxmox"]["node"] |= node
    return World.model_validate(world)


def test_a_stack_is_given_the_secret_that_the_labs_api_takes(tmp_path: Path) -> None:
    paths, world = LabPaths("t", tmp_path), _world()
    ensure_credentials(world, paths)
    side = lab_side(paths, world, node_endpoint(world), **URLS)
    name, _, secret = side.api_token().partition("=")
    assert name == world.stack.api_token
    assert secret in paths.proxmox_state.read_text()
    assert side.password("root@pam") in paths.proxmox_state.read_text()


def test_the_nodes_own_address_and_names_are_the_labs(tmp_path: Path) -> None:
    world = _world(dns_names=["PVE.home.example"])
    side = lab_side(LabPaths("t", tmp_path), world, node_endpoint(world), **URLS)
    assert side.answers("https://192.168.1.11:8006/")
    assert side.answers("https://pve.home.example:8006")
    assert not side.answers("https://pve.home.example/")
    assert not side.answers("https://192.168.1.12:8006/")


def test_a_lab_without_containers_is_only_where_it_listens(tmp_path: Path) -> None:
    side = lab_side(LabPaths("t", tmp_path), _world(), "https://127.0.0.1:34567/", **URLS)
    assert side.answers("https://127.0.0.1:34567/")
    assert not side.answers("https://192.168.1.11:8006/")
