"""The README's own application in five minutes, each line as it is written there."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.proxmox.credentials import token_secret
from tests.conftest import REPO
from tests.labs import TestLab

TOKEN = "berth@pve!deploy"
SECTION = (REPO / "README.md").read_text(encoding="utf-8").partition("## Your own application")[2]
YAML, IN_LAB, ON_PROXMOX = re.findall(r"^```\w+\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)[:3]


@pytest.fixture
def clone(lab: TestLab, tmp_path: Path) -> Iterator[Path]:
    """A clone of this checkout, with the application of somebody else beside it."""
    clone = tmp_path / "berth"
    subprocess.run(["git", "clone", "--quiet", str(REPO), str(clone)], check=True)
    mine = tmp_path / "my-app"
    mine.mkdir()
    (mine / "main.py").write_text("from fastapi import FastAPI\n\napp = FastAPI()\n")
    shutil.copy(REPO / "app" / "requirements.txt", mine)
    (clone / "Pulumi.mine.yaml").write_text(YAML)
    yield clone
    does(lab, clone, "make destroy STACK=Pulumi.mine.yaml", check=False)


def does(lab: TestLab, clone: Path, script: str, *, check: bool = True) -> str:
    """What a shell script says that somebody types in the clone."""
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=clone,
        env={**os.environ, "BERTH_LAB": lab.name, "PULUMI_OPTION_COLOR": "never"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stdout
    return done.stdout


def test_each_line_for_the_lab(lab: TestLab, clone: Path) -> None:
    up, log, preview, destroy = IN_LAB.splitlines()
    said = does(lab, clone, up)
    assert "mine: installs mine.service in /opt/mine, port 8000, and starts it" in said
    assert "mine: GET http://192.168.1.150:8000/docs 200" in said
    assert "Application startup complete." in does(lab, clone, log)
    source = clone.parent / "my-app" / "main.py"
    source.write_text(source.read_text() + "\n# Edited.\n")
    assert "mine: restarts mine.service (new code)" in does(lab, clone, preview)
    assert "mine: destroys container 150" in does(lab, clone, destroy)
    assert lab.api("GET", "/nodes/pve/lxc") is not None


def test_each_line_for_a_proxmox_of_ones_own(lab: TestLab, clone: Path) -> None:
    """In the lab's network, with what the person has there put in place of the dots."""
    script = (
        ON_PROXMOX.replace("deploy=...", f"deploy={token_secret(lab.paths, TOKEN)}")
        .replace("~/.ssh/berth", str(lab.paths.ssh_key))
        .replace("PASSPHRASE=...", "PASSPHRASE=word")
        .replace(
            "curl ",
            f"{clone}/bin/python -c 'import sys, urllib.request as u; "
            "print(u.urlopen(sys.argv[1]).status)' ",
        )
    )
    backend = clone.parent / "state"
    backend.mkdir()
    fresh = f"unset PULUMI_OPTION_CONFIG_FILE; export PULUMI_BACKEND_URL=file://{backend}\n"
    (clone / "typed.sh").write_text(fresh + script)
    said = does(lab, clone, "bin/lab run --stack Pulumi.mine.yaml -- sh -eu typed.sh")
    assert said.splitlines()[-1] == "200"
    (clone / "typed.sh").write_text(
        fresh
        + script.partition("pulumi stack init")[0]
        + "pulumi stack select mine; pulumi destroy --run-program --yes\n"
    )
    does(lab, clone, "bin/lab run --stack Pulumi.mine.yaml -- sh -eu typed.sh")
