"""Every case in which the real pulumi-command was asked, asked of the double."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SHARED
from tests.unit.doubles.provider_client import (
    COMMAND,
    COPY,
    KIND,
    Json,
    Plugin,
    archive,
    asset,
    secret,
)
from tests.unit.doubles.ssh_server import SshServer

pytestmark = pytest.mark.shared

CONTRACT = SHARED / "contracts" / "command-behaviour.json"
CASES: Json = json.loads(CONTRACT.read_text())["cases"] if CONTRACT.is_file() else {}
FILLED = {"host": "h", "user": "root", "port": 22, "dialErrorLimit": 10, "perDialTimeout": 15}
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIzX2gQnUyjPpHqPqQSI1HYSV0+y1yNUMP4oBzJfHJN1"

Ask = Callable[["World"], Json]


class World:
    """Who is asked, and the server that it reaches."""

    def __init__(self, plugin: Plugin, ssh: SshServer) -> None:
        self.plugin, self.ssh = plugin, ssh

    def create(self, connection: Json | None = None, **inputs: Any) -> Json:
        target = self.ssh.connection(**(connection or {}))
        return self.plugin.ask(
            "Create", urn=COMMAND, properties={"connection": secret(target), **inputs}
        )

    def update(self, before: Json, **inputs: Any) -> Json:
        target = secret(self.ssh.connection())
        return self.plugin.ask(
            "Update",
            urn=COMMAND,
            id="i",
            olds={"connection": target, "stdout": "a", "stderr": "", **before},
            news={"connection": target, **inputs},
        )

    def delete(self, **state: Any) -> Json:
        target = secret(self.ssh.connection())
        return self.plugin.ask(
            "Delete",
            urn=COMMAND,
            id="i",
            properties={"connection": target, "stdout": "", "stderr": "", **state},
        )

    def check(self, **inputs: Any) -> Json:
        return self.plugin.ask(
            "Check", urn=COMMAND, news={"connection": secret({"host": "h"}), **inputs}
        )

    def diff(self, state: Json, inputs: Json, urn: str = COMMAND) -> Json:
        filled = {"connection": secret(FILLED)}
        return self.plugin.ask(
            "Diff", urn=urn, id="i", olds={**filled, **state}, news={**filled, **inputs}
        )


def changed(before: Json, after: Json) -> Ask:
    state = {"create": "echo a", "stdout": "a", "stderr": ""}
    return lambda w: w.diff({**state, **before}, {"create": "echo a", **after})


def copied(before: Json, after: Json) -> Ask:
    state = {"source": asset(path="/x", hash="1"), "remotePath": "/y"}
    return lambda w: w.diff({**state, **before}, {**state, **after}, COPY)


ASKED: dict[str, Ask] = {
    "check-bad-logging": lambda w: w.check(create="true", logging="loud"),
    "check-bad-type": lambda w: w.check(create=5),
    "check-minimal": lambda w: w.plugin.ask(
        "Check", urn=COMMAND, news={"connection": {"host": "h"}, "create": "true"}
    ),
    "check-no-connection": lambda w: w.plugin.ask("Check", urn=COMMAND, news={"create": "true"}),
    "copy-diff-hash": copied({}, {"source": asset(path="/x", hash="2")}),
    "copy-diff-path": copied({}, {"remotePath": "/z"}),
    "create-echo": lambda w: w.create(create="echo out; echo err >&2"),
    "create-env-accepted": lambda w: w.create(create="echo $ACC_A", environment={"ACC_A": "1"}),
    "create-env-refused": lambda w: w.create(create="true", environment={"NOPE": "1"}),
    "create-exit-3": lambda w: w.create(create="echo out; echo err >&2; exit 3"),
    "create-exit-3-logging-none": lambda w: w.create(create="echo out; exit 3", logging="none"),
    "create-logging-stdout": lambda w: w.create(create="echo o; echo e >&2", logging="stdout"),
    "create-no-create": lambda w: w.create(),
    "create-preview": lambda w: w.plugin.ask(
        "Create",
        urn=COMMAND,
        preview=True,
        properties={"connection": secret(w.ssh.connection(port=1)), "create": "echo o"},
    ),
    "create-pty": lambda w: w.create(create="tty; echo $HOME; echo $-; pwd"),
    "create-stdin": lambda w: w.create(create="cat", stdin="hello\nworld"),
    "delete-with": lambda w: w.delete(create="true", delete="test -d /"),
    "delete-without": lambda w: w.delete(create="true"),
    "diff-connection-user": changed({}, {"connection": secret({**FILLED, "user": "other"})}),
    "diff-create": changed({}, {"create": "echo b"}),
    "diff-none": changed({}, {}),
    "diff-stdin": changed({"stdin": "a"}, {"stdin": "b"}),
    "diff-triggers": changed({"triggers": ["1"]}, {"triggers": ["2"]}),
    "diff-triggers-added": changed({}, {"triggers": ["1"]}),
    "diff-update-only": changed({}, {"update": "echo u"}),
    "hostkey-right": lambda w: w.create({"hostKey": w.ssh.host_key_line}, create="echo hi"),
    "hostkey-wrong": lambda w: w.create(
        {"hostKey": OTHER_KEY, "dialErrorLimit": 2}, create="echo hi"
    ),
    "key-wrong": lambda w: w.create(
        {"privateKey": w.ssh.host_key.export_private_key().decode(), "dialErrorLimit": 2},
        create="echo hi",
    ),
    "name-unknown": lambda w: w.create({"host": "nothing.invalid"}, create="echo hi"),
    "port-closed": lambda w: w.create({"port": 1}, create="echo hi"),
    "update-with-update": lambda w: w.update(
        {"create": "echo a"}, create="echo a", update="echo u $PULUMI_COMMAND_STDOUT"
    ),
    "update-without-update": lambda w: w.update(
        {"create": "echo a"}, create="echo b [$PULUMI_COMMAND_STDOUT]"
    ),
}

BETTER = {"create-megabyte"}
"""Where the real one hangs: `test_command_words.py` has what the double says."""


def comparable(answer: Json, ssh: SshServer) -> Json:
    """`answer` in the contract's form: no id, secrets marked, addresses replaced."""

    def told(value: Any) -> Any:
        if isinstance(value, list):
            return [told(item) for item in value]
        if isinstance(value, str):
            value = value.replace(str(ssh.home), "/root")
            value = re.sub(r"lookup nothing.invalid( on \S+)?:", "lookup nothing.invalid:", value)
            return re.sub(r"127\.0\.0\.1:\d+", "<ADDR>", value)
        if not isinstance(value, dict):
            return value
        if set(value) == {KIND, "value"}:
            return {"SECRET": told(value["value"])}
        return {key: told(item) for key, item in value.items()}

    found: Json = told(answer)
    if found.get("id"):
        found["id"] = "<ID>"
    found.get("properties", {}).pop("connection", None)
    return found


@pytest.mark.parametrize("name", sorted(ASKED))
def test_the_double_answers_as_the_real_plugin_did(
    name: str, plugin: Plugin, ssh: SshServer
) -> None:
    wanted = comparable(CASES[name]["answer"], ssh)

    found = comparable(ASKED[name](World(plugin, ssh)), ssh)

    if name.startswith("check") and "connection" not in wanted.get("inputs", {}):
        found["inputs"].pop("connection", None)
    assert found == wanted


@pytest.fixture(scope="module")
def copies(running: Plugin, ssh: SshServer, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The answers of the copies, made one after the other as in the contract."""
    source = tmp_path_factory.mktemp("source")
    (source / "f.txt").write_text("f")
    (source / "d" / "sub").mkdir(parents=True)
    (source / "d" / "a").write_text("a")
    (source / "d" / "sub" / "b").write_text("b")
    target = tmp_path_factory.mktemp("target")
    file = asset(path=str(source / "f.txt"), hash="1")
    directory = archive(path=str(source / "d"), hash="2")

    def copy(what: Json, where: str) -> Json:
        properties = {
            "connection": secret(ssh.connection()),
            "source": what,
            "remotePath": f"{target}{where}",
        }
        answer = running.ask("Create", urn=COPY, properties=properties)
        if "error" in answer:
            return {**answer, "error": answer["error"].replace(str(source), "<T>")}
        return {"id": "<ID>", "tree": tree(target)} if answer["id"] else {}

    answers = {
        "copy-file-to-path": copy(file, "/new.txt"),
        "copy-file-to-dir": copy(file, ""),
        "copy-file-missing-parent": copy(file, "/no/such/new.txt"),
        "copy-archive": copy(directory, ""),
        "copy-source-missing": copy(asset(path=str(source / "none"), hash="3"), "/z"),
    }
    copy(directory, "/other")
    copy(file, "/kept.txt")
    gone = running.ask(
        "Delete",
        urn=COPY,
        id="i",
        properties={
            "connection": secret(ssh.connection()),
            "source": file,
            "remotePath": f"{target}/kept.txt",
        },
    )
    return {**answers, "copy-delete": {**gone, "tree": tree(target)}}


def tree(root: Path) -> list[str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return [f"{path.relative_to(root)} {path.stat().st_mode & 0o777:o}" for path in files]


@pytest.mark.parametrize("name", sorted(n for n in CASES if re.match("copy-(?!diff)", n)))
def test_copies_land_where_the_real_plugin_puts_them(name: str, copies: Json) -> None:
    assert copies[name] == CASES[name]["answer"]


def test_no_case_of_the_contract_is_left_out() -> None:
    made_here = {name for name in CASES if re.match("copy-(?!diff)", name)}

    assert set(CASES) == set(ASKED) | BETTER | made_here
