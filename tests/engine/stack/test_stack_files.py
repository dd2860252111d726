"""The real engine reads the lab's copies, and the checkout stays as it was."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.paths import LabPaths
from lab.stack.copy import LabSide
from lab.stack.passphrase import lab_passphrase
from lab.stack.prepare import PreparedStack, prepare_stack
from lab.toolchain import Toolchain, ensure
from tests.unit.stack.clouds import CLOUDS

# The first one on a machine compiles the engine.
pytestmark = pytest.mark.timeout(900)

PROGRAM = """\
import pulumi
config = pulumi.Config("berth")
pulumi.export("number", config.require_object("number"))
pulumi.export("secrets", config.require_secret_object("secrets"))
"""
STACK = """\
secretsprovider: awskms://alias/ours
encryptedkey: AQICAHh=
config:
  berth:number: {quoted: '010', plain: 12}   # kept
  berth:secrets:
    cloud: {secure: v1:b25l:VFdP}
    other:
      secure: v1:dHdv:VEhSRUU=
"""


@dataclass
class Checkout:
    """A Pulumi project under git, and the lab that runs it."""

    directory: Path
    paths: LabPaths
    side: LabSide
    toolchain: Toolchain

    @property
    def stack_file(self) -> Path:
        return self.directory / "Pulumi.prod.yaml"

    def prepare(self, say: Callable[[str], None] = print) -> PreparedStack:
        return prepare_stack(
            self.paths,
            self.stack_file,
            self.directory,
            self.side,
            programs=(self.toolchain.pulumi.parent, Path(sys.executable).parent),
            caller=os.environ,
            say=say,
        )

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Prepare, and run one command as `lab run` does."""
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.directory,
            env=self.prepare().environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    return ensure(tmp_path_factory.mktemp("home"))


@pytest.fixture
def checkout(tmp_path: Path, toolchain: Toolchain) -> Checkout:
    paths = LabPaths("t", tmp_path / "lab")
    side = LabSide(
        passphrase=lab_passphrase(paths.stacks / "passphrase.json"),
        endpoint="https://127.0.0.1:1/",
        answers_at=set(),
        users={"root@pam"},
        login="root@pam",
        api_token=lambda: "a@pve!b=c",
        password=lambda user: user,
        private_key=lambda: "key",
        connector_key=lambda: "F00D" * 10,
        clouds=CLOUDS,
        secrets={"cloud": "from the world"},
    )
    directory = tmp_path / "checkout"
    directory.mkdir()
    made = Checkout(directory, paths, side, toolchain)
    (directory / "Pulumi.yaml").write_text("name: berth\nruntime: python\n")
    (directory / "__main__.py").write_text(PROGRAM)
    made.stack_file.write_text(STACK)
    made.git("init", "-q")
    made.git("add", ".")
    made.git("commit", "-q", "-m", "all")
    return made


def ok(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_stack_runs_with_the_labs_secrets_and_the_users_settings(checkout: Checkout) -> None:
    ok(checkout.pulumi("up", "--yes", "--skip-preview"))
    outputs: dict[str, Any] = json.loads(
        ok(checkout.pulumi("stack", "output", "--json", "--show-secrets"))
    )
    assert outputs["number"] == {"quoted": "010", "plain": 12}
    assert outputs["secrets"]["cloud"] == "from the world"
    assert outputs["secrets"]["other"] == checkout.side.passphrase.throw_away("other")
    assert "from the world" not in ok(checkout.pulumi("stack", "output"))


@pytest.mark.parametrize(
    "command",
    [
        ["preview"],
        ["up", "--yes"],
        ["refresh", "--yes"],
        ["destroy", "--yes"],
        ["config", "set", "berth:more", "x"],
        ["stack", "rm", "--yes"],
    ],
    ids=" ".join,
)
def test_no_command_writes_into_the_checkout(checkout: Checkout, command: list[str]) -> None:
    ok(checkout.pulumi(*command))
    assert checkout.git("status", "--short", "--ignored") == ""
    assert checkout.stack_file.read_text() == STACK


def test_the_engine_leaves_the_copy_as_it_was(checkout: Checkout) -> None:
    said: list[str] = []
    checkout.stack_file.write_text("config:\n  berth:number: 010\n  berth:secrets: {}\n")
    ok(checkout.pulumi("preview"))
    checkout.prepare(said.append)
    assert said == []


def test_a_stack_that_was_removed_is_made_again(checkout: Checkout) -> None:
    ok(checkout.pulumi("up", "--yes", "--skip-preview"))
    ok(checkout.pulumi("destroy", "--yes", "--skip-preview"))
    ok(checkout.pulumi("stack", "rm", "--yes"))
    assert "1 to create" in ok(checkout.pulumi("preview"))


def test_what_is_no_yaml_is_refused_in_the_engines_words(checkout: Checkout) -> None:
    checkout.stack_file.write_text("config:\n\tberth:number: 1\n")
    done = checkout.pulumi("preview")
    assert done.returncode != 0
    assert "found character that cannot start any token" in done.stdout + done.stderr


FORMS = {
    "flow": "{config: {'berth:secrets': {cloud: {secure: 'v1:a:b'}}}}",
    "json": '{"config":{"berth:secrets":{"cloud":{"secure":"v1:a:b"}}}}',
    "windows": "config:\r\n  berth:secrets:\r\n    cloud: {secure: v1:a:b}\r\n",
    "byte order mark": "\ufeffconfig:\n  berth:secrets:\n    cloud: {secure: v1:a:b}\n",
    "no final newline": "config:\n  berth:secrets:\n    cloud:\n      secure: v1:a:b",
    "block": "config:\n  berth:secrets:\n    cloud:\n      secure: |-\n        v1:a:b\n",
    "alias": "x: &v v1:a:b\nconfig:\n  berth:secrets:\n    cloud: {secure: *v }\n",
    "tabs": "config:\t# all\n  berth:secrets:\n    cloud:\t{secure:\tv1:a:b}\t\n",
    "document": "---\nconfig:\n  berth:secrets: {cloud: {secure: v1:a:b}}\n...\n",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_yaml_reaches_the_engine_with_the_labs_secret(
    checkout: Checkout, text: str
) -> None:
    checkout.stack_file.write_bytes(text.encode())
    shown = json.loads(ok(checkout.pulumi("config", "--json", "--show-secrets")))
    assert shown["berth:secrets"]["objectValue"] == {"cloud": "from the world"}
