"""Known hosts, mirrors and template files: pure text."""

import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host.debian_mirror import Mirror, find_mirror
from lab.host.known_hosts import note_host_keys, note_names, write_known_hosts
from lab.host.mounts import mount_table
from lab.host.network import bridges, name_server
from lab.host.template_files import added_certificates, settings
from lab.paths import LabPaths
from lab.world.load import DEFAULT_WORLD, load_world
from tests.unit.host.test_lxc_config import CARD, SPEC


def _pem(body: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def test_known_hosts_follow_a_changed_address(tmp_path: Path) -> None:
    paths = LabPaths("unit", tmp_path)
    directory = paths.guests / "ct-111"
    directory.mkdir(parents=True)
    note_host_keys(directory, ["ssh-ed25519 AAAA root@chat\n"])
    note_names(directory, SPEC)
    write_known_hosts(paths)
    assert paths.known_hosts.read_text() == (
        "chat,192.168.1.111,[chat]:22,[192.168.1.111]:22 ssh-ed25519 AAAA root@chat\n"
    )
    moved = replace(CARD, ipv4=IPv4Interface("192.168.1.5/24"), gateway4=IPv4Address("192.168.1.1"))
    note_names(directory, replace(SPEC, interfaces=(moved,)))
    write_known_hosts(paths)
    assert "192.168.1.111" not in paths.known_hosts.read_text()


def test_another_ssh_port_stays_with_its_machine(tmp_path: Path) -> None:
    paths = LabPaths("unit", tmp_path)
    directory = paths.guests / "host-web"
    directory.mkdir(parents=True)
    note_host_keys(directory, ["ssh-ed25519 AAAA x\n"])
    note_names(directory, SPEC, 2222)
    note_names(directory, SPEC)
    write_known_hosts(paths)
    expected = "[chat]:2222,[192.168.1.111]:2222 ssh-ed25519 AAAA x\n"
    assert paths.known_hosts.read_text() == expected


def _apt_says(monkeypatch: pytest.MonkeyPatch, targets: str, config: str = "") -> None:
    def run(command: list[str], **_how: object) -> subprocess.CompletedProcess[str]:
        said = targets if command[0] == "apt-get" else config
        return subprocess.CompletedProcess(command, 0, stdout=said, stderr="")

    monkeypatch.setattr(subprocess, "run", run)


def test_guests_use_the_mirror_that_apt_uses_here(monkeypatch: pytest.MonkeyPatch) -> None:
    _apt_says(
        monkeypatch,
        "http://node.example/deb/ nodistro main\n"
        "http://mirror.example/debian/ bookworm main\n"
        "http://mirror.example/debian/ bookworm-updates main\n"
        "http://safe.example/security/ bookworm-security main\n",
        'Acquire::Check-Valid-Until "false";\nAcquire::Languages "none";\n',
    )
    mirror = find_mirror()
    assert mirror == Mirror(
        main="http://mirror.example/debian",
        security="http://safe.example/security",
        options=('Acquire::Check-Valid-Until "false";',),
    )
    assert "URIs: http://mirror.example/debian\nSuites: trixie trixie-updates\n" in (
        mirror.sources("trixie")
    )


def test_a_machine_without_debian_is_told_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    _apt_says(monkeypatch, "http://archive.example/ubuntu/ noble main\n")
    with pytest.raises(LabError, match=r"apt on this machine has no Debian source.*add one"):
        find_mirror()


def test_only_certificates_that_debian_lacks_go_into_a_template() -> None:
    machine = "# a comment\n" + _pem("AAAA") + _pem("BB\nBB") + _pem("CCCC")
    guest = _pem("AAAA") + _pem("BBBB")
    assert added_certificates(machine, guest) == {
        "usr/local/share/ca-certificates/berth-lab-1.crt": _pem("CCCC")
    }


def test_a_template_names_no_option_that_this_machine_does_not_need() -> None:
    files = settings(Mirror("http://m.example", None, ()), "trixie")
    assert "etc/apt/apt.conf.d/90berth-lab" not in files
    assert "security" not in files["etc/apt/sources.list.d/debian.sources"]


def test_every_vlan_of_the_world_is_a_bridge_and_has_a_name_server() -> None:
    world = load_world(DEFAULT_WORLD)
    assert [name for name, _ in bridges(world)] == ["vmbr0", "vmbr0v20"]
    far = replace(CARD, ipv4=IPv4Interface("172.16.168.77/24"))
    assert name_server(world, replace(SPEC, interfaces=(far,))) == ("172.16.168.1",)
    assert name_server(world, replace(SPEC, interfaces=())) == ("192.168.1.1",)


def test_mount_points_with_blanks_are_read_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "/dev/loop3 /srv/two\\040words ext4 rw,relatime 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda *_a, **_k: line)
    assert mount_table()[0].point == Path("/srv/two words")
