"""Who may log in to a container that a stack made, and whom its host keys let one trust."""

import ctypes
import subprocess
from pathlib import Path

import pytest

from lab.host.enter import command_inside
from lab.stack.passphrase import lab_passphrase
from tests.labs import StackFile, TestLab

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

PASSWORD_LOGIN = """\
import asyncio, sys, asyncssh
async def attempt():
    await asyncssh.connect(sys.argv[1], username="root", password=sys.argv[2], client_keys=None,
                           agent_path=None, known_hosts=None, config=None)
try:
    asyncio.run(attempt())
except asyncssh.PermissionDenied:
    print("refused")
"""


def log_in(lab: TestLab, address: str, *flags: str) -> subprocess.CompletedProcess[str]:
    command = ["ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", *flags]
    return subprocess.run(
        command_inside(lab.paths, [*command, f"root@{address}", "hostname"]),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def with_key(key: Path) -> list[str]:
    return ["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-i", str(key)]


@pytest.mark.usefixtures("trio")
def test_the_stacks_key_logs_in_and_another_key_does_not(lab: TestLab, tmp_path: Path) -> None:
    lab.ssh("early", "true")
    known = ["-o", f"UserKnownHostsFile={lab.paths.known_hosts}"]
    right = log_in(lab, "192.168.1.203", *known, *with_key(lab.paths.ssh_key))
    assert (right.returncode, right.stdout) == (0, "early\n")

    other = tmp_path / "other"
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)]
    subprocess.run(make, check=True)
    wrong = log_in(lab, "192.168.1.203", *known, *with_key(other))
    assert wrong.returncode != 0
    assert "Permission denied" in wrong.stderr


@pytest.mark.usefixtures("trio")
def test_the_right_root_password_does_not_log_in_over_ssh(lab: TestLab) -> None:
    password = lab_passphrase(lab.paths.stacks / "passphrase.json").throw_away("console")
    stored = lab.ssh("early", "getent shadow root").text.split(":")[1]
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    assert crypt(password.encode(), stored.encode()) == stored.encode()
    said = lab.inside("python", "-c", PASSWORD_LOGIN, "192.168.1.203", password).text
    assert said == "refused\n"


@pytest.mark.usefixtures("trio")
def test_no_two_machines_share_a_host_key_and_known_hosts_has_the_true_ones(lab: TestLab) -> None:
    shown = {
        name: lab.ssh(name, "cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub").text.strip()
        for name in ("early", "late", "idle", "pve", "homebot")
    }
    assert len(set(shown.values())) == len(shown)
    known = lab.paths.known_hosts.read_text().splitlines()
    for name, key in shown.items():
        entries = [line.split() for line in known if name in line.split()[0].split(",")]
        assert key in {entry[2] for entry in entries}, name
    existing = lab.paths.existing_known_hosts.read_text()
    assert shown["homebot"] in existing
    assert shown["early"] not in existing


def test_a_container_made_anew_has_another_host_key(
    lab: TestLab, trio: StackFile, tmp_path: Path
) -> None:
    before = lab.ssh("idle", "cat /etc/ssh/ssh_host_ed25519_key.pub").text
    trusted_before = tmp_path / "known_hosts"
    trusted_before.write_text(lab.paths.known_hosts.read_text())
    trio.document["config"]["berth:replace"] = ["idle"]
    trio.container("idle")["disk_gb"] = 3
    trio.write()
    lab.pulumi(trio, "up", "--yes", "--skip-preview")
    assert lab.ssh("idle", "cat /etc/ssh/ssh_host_ed25519_key.pub").text != before
    imposter = log_in(
        lab, "192.168.1.204", "-o", f"UserKnownHostsFile={trusted_before}",
        *with_key(lab.paths.ssh_key),
    )  # fmt: skip
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in imposter.stderr
    assert imposter.returncode != 0
