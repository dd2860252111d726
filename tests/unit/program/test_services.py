"""Services as the program declares them: what runs on hosts, with what secrets, for how long."""

import json
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.conftest import REPO
from tests.unit.infra.recording import (
    PRIVATE_KEY,
    PUBLIC_KEY,
    Program,
    Recorded,
    container,
    run_program,
    stack,
)

COMMAND = "command:remote:Command"
COPY = "command:remote:CopyToRemote"
SECRET = "hunter2-of-the-service"


def config(**changes: Any) -> dict[str, Any]:
    hosts = {
        "chat": container(),
        "home": {"existing": {"address": "192.168.1.20", "user": "deploy", "host_key": PUBLIC_KEY}},
    }
    one = {"source": "app", "app": "app:app", "secrets": {"API_KEY": "api"}, **changes}
    services = {"chat": {"host": "chat", **one}, "talk": {"host": "home", **one}}
    given = stack(hosts, services=services)
    given["berth:secrets"] |= {"api": {"secure": SECRET}}
    return given


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Program:
    monkeypatch.setenv("BERTH_CACHE", str(tmp_path))
    return run_program(config(), monkeypatch)


def steps(program: Program, kind: str = COMMAND) -> list[Recorded]:
    return [resource for resource in program.recorded if resource.kind == kind]


def test_a_service_is_one_archive_and_one_step(program: Program) -> None:
    assert sorted(r.name for r in steps(program)) == [
        "chat-deploy", "chat-host-key", "chat-login", "chat-remove", "talk-deploy", "talk-remove",
    ]  # fmt: skip
    assert sorted(r.name for r in steps(program, COPY)) == [
        "chat-archive", "chat-guest", "home-guest", "talk-archive",
    ]  # fmt: skip


def test_no_secret_is_in_a_command_or_in_an_input_that_is_not_secret(program: Program) -> None:
    for step in [*steps(program), *steps(program, COPY)]:
        plain = {key: value for key, value in step.inputs.items() if key not in step.secret}
        assert SECRET not in json.dumps(plain, default=str)
        assert PRIVATE_KEY.splitlines()[1] not in json.dumps(plain, default=str)
    deploy = program.resources["chat-deploy"]
    assert "stdin" in deploy.secret
    assert f'API_KEY=\\"{SECRET}\\"' in deploy.inputs["stdin"]


def test_every_step_has_a_limit(program: Program) -> None:
    for step in steps(program):
        for key in ("create", "update", "delete"):
            if text := step.inputs.get(key):
                assert re.match(r"(sudo -n )?timeout --kill-after=\d+ \d+ sh -c ", text)


def test_every_connection_but_the_first_is_pinned(program: Program) -> None:
    unpinned = [
        step.name
        for step in [*steps(program), *steps(program, COPY)]
        if not step.inputs["connection"].get("hostKey")
    ]
    # Under mocks nothing has an answer on stdout: what depends on it is the container's.
    assert "chat-host-key" in unpinned
    assert not [name for name in unpinned if name.startswith(("talk", "home"))]


def test_who_is_not_root_uses_sudo_and_a_directory_of_his_own(program: Program) -> None:
    deploy = program.resources["talk-deploy"]
    assert deploy.inputs["create"].startswith("sudo -n timeout ")
    assert program.resources["home-guest"].inputs["remotePath"].startswith(".berth/guest/")
    document = json.loads(deploy.inputs["stdin"])
    assert document["archive"]["path"].startswith(".berth/incoming/talk/")
    assert program.resources["talk-archive"].inputs["remotePath"] == document["archive"]["path"]


def test_the_archive_lies_at_a_path_named_by_its_hash(program: Program) -> None:
    copied = program.resources["chat-archive"].inputs["remotePath"]
    document = json.loads(program.resources["chat-deploy"].inputs["stdin"])
    assert copied == f"/var/lib/berth/incoming/chat/{document['archive']['sha256']}.tar.gz"


def test_a_step_on_a_container_goes_with_it(program: Program) -> None:
    for name in ("chat-deploy", "chat-login", "chat-host-key", "chat-archive", "chat-guest"):
        assert program.resources[name].inputs["triggers"][0] == "chat-container-id"


def test_an_exchanged_key_opens_the_door_for_the_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tests.unit.infra import recording

    old, old_public = recording.new_key()
    monkeypatch.setenv("BERTH_CACHE", str(tmp_path))
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", said.append)
    program = run_program(config(), monkeypatch, last_outputs={"login_key": old})
    assert [line for line in said if "login key is another one" in line]
    login = program.resources["chat-login"].inputs
    assert login["connection"]["privateKey"] == old
    assert {PUBLIC_KEY, old_public} <= set(login["stdin"].splitlines())
    deploy = program.resources["chat-deploy"].inputs
    assert deploy["connection"]["privateKey"] == PRIVATE_KEY
    account = program.resources["chat-container"].inputs["initialization"]["userAccount"]
    assert account["keys"] == [PUBLIC_KEY, old_public]


def test_prod_has_the_application_of_this_checkout() -> None:
    assert "source: app\n" in (REPO / "Pulumi.prod.yaml").read_text(encoding="utf-8")


def test_a_container_that_comes_again_with_its_old_id_gets_everything_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = run_program(config(), monkeypatch)
    again = run_program(config(), monkeypatch, network_card="BC:24:11:00:00:02")

    def anew(name: str) -> bool:
        made_on = [program.resources[name].inputs["triggers"] for program in (first, again)]
        return bool(made_on[0] != made_on[1])

    for name in ("chat-host-key", "chat-login", "chat-guest", "chat-archive", "chat-deploy"):
        assert anew(name), name
    # What it undoes is gone with the first one, whose host key nothing has any more.
    assert not anew("chat-remove")
    assert not anew("talk-deploy")
