"""Host keys of machines that exist already, before they ever ran."""

from pathlib import Path

from lab.host.machine_keys import ensure_machine_keys
from lab.paths import LabPaths
from lab.world import DEFAULT_WORLD, load_world

WORLD = load_world(DEFAULT_WORLD)


def test_a_stack_can_declare_a_host_that_is_switched_off(tmp_path: Path) -> None:
    paths = LabPaths("unit", tmp_path)
    keys = ensure_machine_keys(paths, WORLD)
    known = paths.existing_known_hosts.read_text()
    for name, host in WORLD.hosts.items():
        public = next(key.public for key in keys[name] if "ed25519" in key.public)
        assert f"[{host.address.ip}]:{host.ssh_port} {public}" in known


def test_a_restart_of_the_lab_does_not_change_a_host_key(tmp_path: Path) -> None:
    paths = LabPaths("unit", tmp_path)
    assert ensure_machine_keys(paths, WORLD) == ensure_machine_keys(paths, WORLD)


def test_private_host_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    paths = LabPaths("unit", tmp_path)
    ensure_machine_keys(paths, WORLD)
    assert (tmp_path / "machines" / "host_keys.json").stat().st_mode & 0o077 == 0
