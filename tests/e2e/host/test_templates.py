"""Templates are whole or absent, and fit this machine's way to packages."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.host.templates import ensure_templates, place_templates
from lab.paths import LabPaths
from lab.world.models import World
from tests.e2e.host.real import Host

pytestmark = pytest.mark.root


def test_the_worlds_volumes_are_archives_under_their_own_names(
    world: World, templates: dict[str, Path], tmp_path: Path
) -> None:
    paths = LabPaths(name="x1", root=tmp_path)
    place_templates(paths, world, templates)
    cache = paths.storages / "local" / "template" / "cache"
    assert sorted(path.name for path in cache.iterdir()) == [
        "debian-12-standard_12.12-1_amd64.tar.zst",
        "debian-13-standard_13.1-2_amd64.tar.zst",
        "ubuntu-24.04-standard_24.04-2_amd64.tar.zst",
    ]
    listed = subprocess.run(
        ["tar", "--zstd", "-tf", cache / "debian-12-standard_12.12-1_amd64.tar.zst"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert "./usr/lib/systemd/systemd" in listed or "./lib/systemd/systemd" in listed
    # No two containers may share these.
    assert not [path for path in listed if "ssh_host_" in path or path == "./etc/resolv.conf"]


def test_templates_that_are_there_take_no_time(templates: dict[str, Path]) -> None:
    began = time.monotonic()
    assert ensure_templates(["trixie", "bookworm"]) == templates
    assert time.monotonic() - began < 5


async def test_programs_of_every_kind_find_this_machines_trust(host: Host) -> None:
    spec = await host.running()
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    assert host.answer(spec, "echo $SSL_CERT_FILE $PIP_CERT") == f"{bundle} {bundle}"
    assert host.answer(spec, "sudo -n sh -c 'echo $PIP_CERT'") == bundle
    assert host.answer(spec, "systemd-run -q --pipe sh -c 'echo $SSL_CERT_FILE'") == bundle


def test_an_interrupted_build_leaves_no_mount_no_process_and_no_file(tmp_path: Path) -> None:
    program = "from lab.host.templates import ensure_templates; ensure_templates(['bookworm'])"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "BERTH_CACHE": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    ) as building:
        assert building.stderr
        for line in building.stderr:
            if "validating" in line:
                break
        building.send_signal(signal.SIGINT)
        building.communicate(timeout=30)
    assert building.returncode != 0
    left = [path for path in (tmp_path / "templates").rglob("*") if path.is_file()]
    assert [path for path in left if path.name != ".lock"] == []
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    assert _commands_with(str(tmp_path)) == []


def _commands_with(text: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found
