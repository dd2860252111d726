"""The README's story in a clone of this checkout, as a person tells it: with make."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.labs import CHECKOUT, TestLab

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]


@dataclass
class Person:
    """Somebody in a clone, with a lab of their own and the caches that are there."""

    clone: Path
    lab: TestLab

    def does(self, *command: str) -> str:
        """What the command says; whatever it does, git sees no change but the expected one."""
        done = subprocess.run(
            command,
            cwd=self.clone,
            env={
                # Run by make itself, make would speak of the directories it enters.
                **{key: value for key, value in os.environ.items() if not key.startswith("MAKE")},
                "BERTH_LAB": self.lab.name,
                "PULUMI_OPTION_COLOR": "never",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout

    def changed_files(self) -> str:
        return self.does("git", "status", "--porcelain", "--untracked-files=all", "--ignored")


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
    made = Person(clone, TestLab(f"story{os.getpid()}"))
    yield made
    made.lab.cli("down")


def test_the_story_of_the_readme_goes_as_it_is_told(person: Person) -> None:
    stack = person.clone / "Pulumi.prod.yaml"
    said = person.does("make", "up")
    assert "chat: creates container 111 on node pve" in said
    assert "chat: Debian GNU/Linux 13 (trixie), logged in as root at 192.168.1.111\n" in said
    assert "chat: GET https://192.168.1.111:8000/healthz 200" in said
    assert "chat: GET https://chat.jackshome.com/healthz 200" in said
    streams = re.findall(r"149 bytes in (\d+) chunks over ([\d.]+) s", said)
    assert [int(chunks) > 10 and float(seconds) > 1 for chunks, seconds in streams] == [True] * 2
    assert person.changed_files() == ""

    assert "unchanged" in person.does("make", "preview")
    assert "chat" in person.does("make", "status")
    assert person.does("bin/lab", "ssh", "chat", "--", "hostname") == "chat\n"
    assert person.does("bin/lab", "ssh", "pve", "--", "hostname") == "pve\n"
    key = person.does("bin/lab", "ssh", "chat", "--", "cat /etc/ssh/ssh_host_ed25519_key.pub")
    assert person.changed_files() == ""

    stack.write_text(stack.read_text().replace("memory_mb: 2048", "memory_mb: 4096"))
    edited = stack.read_bytes()
    words = "chat: reboots container 111 (memory 2048 -> 4096)"
    assert words in person.does("make", "preview")
    assert words in person.does("make", "up")
    free = person.does("bin/lab", "ssh", "chat", "--", "cat /etc/ssh/ssh_host_ed25519_key.pub")
    assert free == key  # in place: it is still the same container
    assert person.lab.api("GET", "/nodes/pve/lxc/111/config")["memory"] == 4096
    assert "unchanged" in person.does("make", "refresh")
    outputs = json.loads(person.does("bin/lab", "run", "--", "pulumi", "stack", "output", "--json"))
    assert outputs["hosts"]["chat"]["address"] == "192.168.1.111"

    lost = "chat: destroys container 111 with its 24 GiB disk on local-lvm"
    assert lost in person.does("make", "destroy")
    assert person.lab.api("GET", "/nodes/pve/lxc") == []
    assert person.changed_files() == " M Pulumi.prod.yaml\n"
    assert stack.read_bytes() == edited

    person.does("make", "down")
    assert not person.lab.paths.root.exists()
    assert person.changed_files() == " M Pulumi.prod.yaml\n"
