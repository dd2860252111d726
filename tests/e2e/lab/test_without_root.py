"""An ordinary user has previews; what needs a container is refused up front, in words."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lab.paths import cache_dir
from tests.labs import CHECKOUT, TestLab, wait_for

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

USER = 61234
_ORDINARY = [
    "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
    # Only so that programs below root's closed home can be read, as those of an own home can.
    "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search",
    "--bounding-set=-all,+dac_read_search",
]  # fmt: skip
STACKS = [CHECKOUT / "Pulumi.prod.yaml", *sorted((CHECKOUT / "examples").glob("Pulumi.*.yaml"))]


class Ordinary:
    """A user without rights, with a home, and with the programs that are built already."""

    def __init__(self, home: Path) -> None:
        self.home = home
        cache = home / "cache"
        for shared in ("venv", "programs", "bytecode"):
            (cache / shared).parent.mkdir(parents=True, exist_ok=True)
            (cache / shared).symlink_to(cache_dir() / shared)
        for path in [home, *home.iterdir()]:
            os.chown(path, USER, USER, follow_symlinks=False)
        self.environment = {
            "HOME": str(home),
            "BERTH_CACHE": str(cache),
            "BERTH_LAB": "ordinary",
            "PATH": os.environ["PATH"],
            "PULUMI_OPTION_COLOR": "never",
        }

    def does(
        self, *command: str | Path, code: int = 0, more: Mapping[str, str] | None = None
    ) -> str:
        done = subprocess.run(
            [*_ORDINARY, *map(str, command)],
            cwd=CHECKOUT,
            env={**self.environment, **(more or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def lab(self, *words: str | Path, code: int = 0, more: Mapping[str, str] | None = None) -> str:
        return self.does("bin/lab", *words, code=code, more=more)


@pytest.fixture
def ordinary() -> Iterator[Ordinary]:
    # Not tmp_path, which is closed to others.
    with TemporaryDirectory(prefix="home-of-an-ordinary-user-") as home:
        user = Ordinary(Path(home))
        yield user
        user.lab("down")


def test_previews_work_and_what_needs_a_container_says_why_it_does_not(ordinary: Ordinary) -> None:
    reason = "containers need root; run the same command with sudo"
    assert ordinary.does("make", "up", code=2).count(reason) == 1
    said = ordinary.lab("up")
    assert f"without containers: {reason}" in said
    status = json.loads(ordinary.lab("status", "--json"))
    assert (status["containers"], status["missing"]) == (False, [reason])
    assert status["endpoint"].startswith("https://127.0.0.1:")
    before = [stack.read_bytes() for stack in STACKS]
    with ThreadPoolExecutor(max_workers=2) as pool:
        previews = pool.map(
            lambda stack: ordinary.lab("run", "--stack", stack, "--", "pulumi", "preview"), STACKS
        )
        assert all("to create" in preview for preview in previews)
    assert [stack.read_bytes() for stack in STACKS] == before
    for words in (("ssh", "chat"), ("start", "pve"), ("stop", "pve"), ("packages", "off")):
        refused = ordinary.lab(*words, code=1)
        assert refused.startswith("error: ")
        assert reason in refused
    for flags in ((), ("-C", ".", "--color", "never", "--non-interactive")):
        assert ordinary.lab("run", "--", "pulumi", *flags, "up", "--yes", code=1) == (
            f"error: pulumi up: needs containers, and lab ordinary has none ({reason}); "
            f"`pulumi preview` works\n"
        )
    ordinary.lab("down")
    wait_for(lambda: not _alive(status["pid"]), "the end of its process")
    assert not [p for p in ordinary.home.rglob("ordinary*") if "bytecode" not in p.parts]


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_an_installed_pulumi_is_used_where_it_is_and_left_as_it_is(
    ordinary: Ordinary, lab: TestLab
) -> None:
    theirs = ordinary.home / "theirs"
    programs = {program["name"]: Path(program["path"]) for program in lab.status()["programs"]}
    plugin = theirs / "plugins" / "resource-proxmoxve-v8.3.0" / "pulumi-resource-proxmoxve"
    plugin.parent.mkdir(parents=True)
    (theirs / "bin").mkdir()
    shutil.copy(programs["pulumi"], theirs / "bin" / "pulumi")
    host = theirs / "bin" / "pulumi-language-python"
    real = programs["language-python"]
    host.write_text(f'#!/bin/sh\nexec "{real}" "$@"\n')
    host.chmod(0o755)
    shutil.copy(programs["proxmoxve"], plugin)
    (theirs / "credentials.json").write_text('{"current": "https://api.example.org"}')
    before = _digests(theirs)

    path = os.pathsep.join([str(theirs / "bin"), ordinary.environment["PATH"]])
    own = {"PATH": path, "PULUMI_HOME": str(theirs)}
    ordinary.lab("up", more=own)
    status = json.loads(ordinary.lab("status", "--json", more=own))
    origins = {
        program["name"]: (program["origin"], program["path"]) for program in status["programs"]
    }
    assert origins["pulumi"] == ("installed", str(theirs / "bin" / "pulumi"))
    assert origins["language-python"] == ("installed", str(host))
    assert origins["proxmoxve"] == ("linked", str(plugin))
    assert "to create" in ordinary.lab("run", "--", "pulumi", "preview", more=own)
    assert _digests(theirs) == before


def _digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
