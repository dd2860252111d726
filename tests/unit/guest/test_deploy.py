"""What a deploy does to a host, and what it leaves alone."""

import contextlib
import json
import os
import stat
import time
from collections.abc import Callable

import pytest

from infra.guest import account, files, ports, switch
from infra.guest.failure import Locked, SendAgain, StepFailed
from infra.guest.host import Ids
from infra.guest.lock import held
from infra.guest.report import Report
from tests.unit.guest.conftest import SECRET, Box

Edit = Callable[[str], None]


def test_the_first_deploy_places_everything_and_starts_the_socket_first(box: Box) -> None:
    answered = box.deploy()
    release = box.at("/opt/chat/releases") / answered["release"]
    assert answered["result"] == "changed"
    assert (release / "app.py").read_text() == "app = 1\n"
    assert box.at("/opt/chat/current").resolve() == release.resolve()
    assert (release / ".venv").resolve().parent == box.at("/opt/chat/envs").resolve()
    assert str((release / "data").readlink()) == "../../data"
    assert box.calls("systemctl restart") == [
        "systemctl restart chat.socket",
        "systemctl restart chat.service",
    ]
    assert box.calls("systemctl enable") == ["systemctl enable --quiet chat.socket chat.service"]


def test_the_environment_file_is_readable_by_root_and_the_service_alone(box: Box) -> None:
    box.deploy()
    path = box.at("/etc/chat/chat.env")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_of_the_hosts_in_the_place_of_ours_is_never_overwritten(box: Box, kind: str) -> None:
    box.deploy()
    before, theirs = box.files(), box.at("/etc/passwd")
    theirs.write_bytes(b"root:x:0:0::/root:/bin/sh\n")
    path = "/etc/passwd"
    if kind == "link":
        path = "/etc/other.env"
        box.at(path).symlink_to(theirs)
    with pytest.raises(StepFailed, match="was not made by this service"):
        box.deploy(env_file={"path": path, "text": "A=1\n"})
    assert theirs.read_bytes() == b"root:x:0:0::/root:/bin/sh\n"
    theirs.unlink()
    box.at(path).unlink(missing_ok=True)
    assert box.files() == before


@pytest.mark.parametrize("part", ["releases/20230101", "envs/theirs", "current"])
def test_what_lies_in_the_place_of_ours_is_never_taken_over(box: Box, part: str) -> None:
    path = box.at(f"/opt/chat/{part}")
    path.parent.mkdir(parents=True)
    if part == "current":
        path.symlink_to("somewhere")
    else:
        path.mkdir()
    before = box.files()
    with pytest.raises(StepFailed, match=r"/opt/chat/\w+: on the host already, and not made by"):
        box.deploy()
    assert box.files() == before
    assert path.is_symlink() or path.is_dir()


def test_what_a_service_runs_on_is_not_its_own(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, int] = {}
    theirs = Ids(4711, 4711)
    monkeypatch.setattr(account, "ids", lambda *_: theirs)
    monkeypatch.setattr(os, "chown", lambda path, uid, _gid, **_: given.update({str(path): uid}))
    answered = box.deploy(writable=["/opt/chat/data"])
    own = {path for path, uid in given.items() if uid == theirs.uid}
    assert own == {str(box.at("/opt/chat/data"))}
    env = (box.at("/opt/chat/releases") / answered["release"] / ".venv").resolve()
    assert not (env / ".lock").exists()


def test_a_second_deploy_of_the_same_touches_nothing(box: Box) -> None:
    box.deploy()
    before = box.files()
    box.forget()
    answered = box.deploy()
    assert (answered["result"], answered["changed"]) == ("unchanged", [])
    assert box.files() == before
    assert box.calls() == []


def test_an_edit_of_code_restarts_the_service_once_and_nothing_else(box: Box, edit: Edit) -> None:
    first = box.deploy()
    before = box.files()
    edit("app = 2\n")
    box.forget()
    second = box.deploy()
    assert box.calls() == ["systemctl restart chat.service"]
    assert second["changed"] == ["release", "current", "restarted"]
    assert second["release"] != first["release"]
    after = box.files()
    for kept in ("/etc/systemd/system/chat.service", "/etc/chat/chat.env"):
        assert after[str(box.at(kept))] == before[str(box.at(kept))]


def test_an_edit_of_one_value_restarts_without_a_new_release(box: Box) -> None:
    first = box.deploy()
    box.forget()
    second = box.deploy(env_file={"path": "/etc/chat/chat.env", "text": 'TOKEN="other"\n'})
    assert second["changed"] == ["environment file", "restarted"]
    assert second["release"] == first["release"]
    assert box.calls() == ["systemctl restart chat.service"]


def test_another_lock_builds_another_environment_and_removes_the_old_one(box: Box) -> None:
    box.deploy()
    environment = box.document()["environment"] | {"sha256": "2" * 64}
    answered = box.deploy(environment=environment)
    assert answered["changed"] == ["environment", "release", "current", "restarted"]
    assert len(list(box.at("/opt/chat/envs").iterdir())) == 1
    assert len(list(box.at("/opt/chat/releases").iterdir())) == 1


def test_another_member_of_a_workspace_has_an_environment_of_its_own(box: Box) -> None:
    (box.source / "uv.lock").write_text("")
    document = box.document()
    environment = document["environment"] | {"file": "uv.lock"}
    for member in ("api", "worker"):
        box.forget()
        given = document | {"environment": environment | {"package": member}}
        assert "environment" in box.deploy(given)["changed"]
        [sync] = [call for call in box.calls() if " sync " in call]
        assert f"--package {member} " in sync


def test_changed_units_are_reloaded_before_the_restart(box: Box) -> None:
    box.deploy()
    units = box.document()["units"]
    box.forget()
    box.deploy(units=units | {"chat.service": units["chat.service"] + "MemoryMax=1G\n"})
    assert box.calls() == ["systemctl daemon-reload", "systemctl restart chat.service"]


def test_a_changed_port_stops_the_service_since_systemd_opens_no_socket_beside_it(
    box: Box,
) -> None:
    box.deploy()
    units = box.document()["units"]
    box.forget()
    box.deploy(units=units | {"chat.socket": units["chat.socket"] + "ListenStream=1\n"})
    assert box.calls() == [
        "systemctl daemon-reload",
        "systemctl stop chat.socket chat.service",
        "systemctl restart chat.socket",
        "systemctl restart chat.service",
    ]


def test_a_service_that_was_stopped_by_hand_is_started_again(box: Box) -> None:
    box.deploy()
    box.doubles.units.clear()
    assert "started" in box.deploy()["changed"]


def test_a_release_that_never_gets_healthy_gives_the_old_one_its_place_back(
    box: Box, edit: Edit
) -> None:
    first = box.deploy()
    env_file = box.at("/etc/chat/chat.env").read_bytes()
    edit("app = 2\n")
    current = box.at("/opt/chat/current")
    box.answer.sick = lambda: current.readlink().name != first["release"]
    changed = {"path": "/etc/chat/chat.env", "text": 'TOKEN="other"\n'}
    with pytest.raises(StepFailed) as failed:
        box.deploy(env_file=changed)
    assert "status 503 instead of 200" in failed.value.problem
    assert f"release {first['release']} serves again" in failed.value.problem
    assert box.at("/opt/chat/current").readlink().name == first["release"]
    assert box.at("/etc/chat/chat.env").read_bytes() == env_file


def test_what_was_put_back_is_asked_for_its_health_too(box: Box, edit: Edit) -> None:
    first = box.deploy()
    edit("app = 2\n")
    box.answer.status = 503
    with pytest.raises(StepFailed) as failed:
        box.deploy()
    assert (
        f"release {first['release']} has its place again, but is not healthy either (health: "
        in failed.value.problem
    )
    box.answer.status = 200
    box.forget()
    box.deploy()
    assert any(call.startswith("systemctl restart chat.service") for call in box.calls())


def test_it_is_asked_for_what_it_answered_and_not_for_what_the_new_one_must(box: Box) -> None:
    first = box.deploy()
    wanted = {"path": "/healthz", "status": 418, "json": None, "limit_s": 0.3}
    with pytest.raises(StepFailed) as failed:
        box.deploy(health=wanted, env_file={"path": "/etc/chat/chat.env", "text": "A=1\n"})
    assert f"release {first['release']} serves again" in failed.value.problem


def test_after_a_failure_the_next_deploy_recovers(box: Box, edit: Edit) -> None:
    box.deploy()
    edit("app = 2\n")
    box.answer.status = 503
    with pytest.raises(StepFailed):
        box.deploy()
    box.answer.status = 200
    answered = box.deploy()
    assert box.at("/opt/chat/current").readlink().name == answered["release"]
    assert box.deploy()["result"] == "unchanged"


def test_a_first_release_that_fails_is_stopped_and_leaves_no_units(box: Box) -> None:
    box.answer.status = 500
    with pytest.raises(StepFailed, match="nothing ran before, so it is stopped"):
        box.deploy()
    assert not box.at("/etc/systemd/system/chat.service").exists()
    assert not box.at("/opt/chat/current").exists()
    assert not box.at("/etc/chat/chat.env").exists()


def test_a_service_that_ends_at_once_is_not_waited_for(box: Box) -> None:
    box.doubles.broken = ["chat.service"]
    box.answer.status = 500
    document = box.document()
    document["health"]["limit_s"] = 3600
    with pytest.raises(StepFailed, match=r"chat.service ended \(exit-code\)"):
        box.deploy(document)


def test_an_unhealthy_service_that_nothing_changed_for_is_left_running(box: Box) -> None:
    box.deploy()
    box.answer.status = 503
    box.forget()
    with pytest.raises(StepFailed, match="nothing was changed"):
        box.deploy()
    assert box.calls() == []


def test_a_failure_shows_the_journal_without_secrets(box: Box) -> None:
    box.answer.status = 500
    with pytest.raises(StepFailed) as failed:
        box.deploy()
    report = Report([SECRET], box.said)
    report.fail(failed.value.text())
    assert "a double's line of the journal" in box.said.getvalue()
    assert SECRET not in box.said.getvalue()


def test_a_missing_archive_is_asked_for_with_the_command_that_sends_it(box: Box) -> None:
    document = box.document()
    box.at(document["archive"]["path"]).unlink()
    with pytest.raises(SendAgain) as failed:
        box.deploy(document)
    assert failed.value.remedy == "send it again: SEND"
    assert not box.at("/opt/chat").exists()


def test_a_damaged_archive_is_not_unpacked(box: Box) -> None:
    document = box.document()
    path = box.at(document["archive"]["path"])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SendAgain, match="damaged or not whole"):
        box.deploy(document)


def test_a_staged_release_needs_no_archive(box: Box) -> None:
    document = box.document()
    box.deploy(document)
    box.at(document["archive"]["path"]).unlink()
    assert box.deploy(document)["result"] == "unchanged"


def test_an_archive_of_the_release_before_is_removed(box: Box, edit: Edit) -> None:
    first = box.document()
    box.deploy(first)
    edit("app = 2\n")
    box.deploy()
    assert not box.at(first["archive"]["path"]).exists()


def test_an_archive_that_came_for_the_next_step_stays(box: Box, edit: Edit) -> None:
    first = box.document()
    box.deploy(first)
    edit("app = 2\n")
    later = time.time() + 60
    os.utime(box.at(first["archive"]["path"]), (later, later))
    box.deploy()
    assert box.at(first["archive"]["path"]).exists()
    assert box.deploy(first)["result"] == "changed"


def test_a_key_in_the_servers_own_file_and_in_ours_is_refused_before_anything_changes(
    box: Box,
) -> None:
    box.at("/opt/chat").mkdir(parents=True)
    box.at("/opt/chat/.env").write_text("TOKEN=theirs\n")
    with pytest.raises(StepFailed, match=r"^TOKEN: set in .*\.env on the host and in the stack"):
        box.deploy()
    assert not box.at("/opt/chat/releases").exists()
    assert box.calls() == []


def test_all_variables_that_the_host_must_hold_are_named_at_once(box: Box) -> None:
    with pytest.raises(StepFailed, match=r"^A, B: required, and not set in"):
        box.deploy(required_on_host=["A", "B"])
    assert box.calls() == []


def test_a_variable_that_systemd_does_not_read_is_not_taken_for_set(box: Box) -> None:
    box.at("/opt/chat").mkdir(parents=True)
    box.at("/opt/chat/.env").write_text("export A=1\nB=2\n")
    with pytest.raises(StepFailed, match=r"^A: in .*\.env behind `export`, where systemd does not"):
        box.deploy(required_on_host=["A", "B"])
    assert box.calls() == []


def test_a_port_that_a_neighbour_is_about_to_leave_is_waited_for(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.at("/etc/systemd/system/web.socket").write_text("# berth: a/b/web/x\n[Socket]\n")
    box.doubles.sockets = [f"0.0.0.0:{box.document()['port']} web.socket web.service"]
    answers = ["systemd (process 1)"] * 3
    monkeypatch.setattr(ports, "stranger", lambda *_: answers.pop() if answers else None)
    monkeypatch.setattr(switch, "POLL_S", 0)
    assert box.deploy()["result"] == "changed"
    assert answers == []


@pytest.mark.parametrize(
    ("sockets", "unit", "named"),
    [
        ([], None, r"taken by systemd \(process 1\)"),
        (["[::]:{port} cups.socket cups.service"], "[Socket]\n", "taken by cups.socket"),
        (["0.0.0.0:{port} cups.socket cups.service"], "# berth: a/b/c/x\n", "taken by cups.socket"),
    ],
)
def test_a_port_that_stays_taken_is_named_by_its_unit(
    box: Box, monkeypatch: pytest.MonkeyPatch, sockets: list[str], unit: str | None, named: str
) -> None:
    if unit is not None:
        box.at("/etc/systemd/system/cups.socket").write_text(unit)
    port = box.document()["port"]
    box.doubles.sockets = [line.format(port=port) for line in sockets]
    monkeypatch.setattr(ports, "stranger", lambda *_: "systemd (process 1)")
    monkeypatch.setattr(switch, "MOVING_S", 0)
    with pytest.raises(StepFailed, match=f"^port {port}: {named}"):
        box.deploy()
    assert not box.at("/opt/chat/releases").exists()


def test_a_unit_of_somebody_else_is_never_overwritten(box: Box) -> None:
    unit = box.at("/etc/systemd/system/chat.service")
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    with pytest.raises(StepFailed, match=r"chat.service: .* was not made by berth"):
        box.deploy()
    assert unit.read_text() == "[Service]\nExecStart=/bin/true\n"


def test_a_unit_of_another_stack_is_never_overwritten(box: Box) -> None:
    unit = box.at("/etc/systemd/system/chat.service")
    unit.write_text("# berth: berth/other/chat/aaaaaaaa\n[Service]\n")
    with pytest.raises(StepFailed, match="belongs to berth/other/chat/aaaaaaaa"):
        box.deploy()


def test_server_only_paths_are_mounted_read_only_for_the_whole_step(box: Box) -> None:
    data = box.at("/opt/chat/data")
    data.mkdir(parents=True)
    box.deploy()
    assert box.calls("mount") == [
        "mount --make-rprivate /",
        f"mount --bind {data} {data}",
        f"mount -o remount,bind,ro {data}",
    ]
    assert box.at("/own-mounts").exists()


def test_a_file_of_the_server_that_changed_meanwhile_is_an_error(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.at("/opt/chat").mkdir(parents=True)
    box.at("/opt/chat/.env").write_text("A=1\n")
    run = switch.Switch.run

    def spoil(self: switch.Switch) -> tuple[list[str], float]:
        box.at("/opt/chat/.env").write_text("A=2\n")
        return run(self)

    monkeypatch.setattr(switch.Switch, "run", spoil)
    with pytest.raises(StepFailed, match=r"\.env: changed while the deploy ran"):
        box.deploy()


def test_what_the_service_itself_writes_is_no_error(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.at("/opt/chat/data").mkdir(parents=True)
    run = switch.Switch.run

    def serve(self: switch.Switch) -> tuple[list[str], float]:
        box.at("/opt/chat/data/tokens.json").write_text("{}")
        return run(self)

    monkeypatch.setattr(switch.Switch, "run", serve)
    assert box.deploy()["result"] == "changed"


def test_a_second_step_at_the_same_time_is_held_off_and_names_the_first(box: Box) -> None:
    with (
        held(box.host, "chat", 0, Report([], box.said)),
        pytest.raises(Locked, match=f"process {os.getpid()} of this host"),
    ):
        box.deploy()


@pytest.mark.parametrize("fails", ["systemctl daemon-reload", "systemctl restart", "uv venv"])
def test_a_step_that_fails_anywhere_leaves_a_host_from_which_the_next_recovers(
    box: Box, fails: str
) -> None:
    box.doubles.fail = [fails]
    with pytest.raises(StepFailed, match=r"told to fail|did not start|ended with status"):
        box.deploy()
    box.doubles.fail = []
    assert box.deploy()["result"] == "changed"
    assert box.deploy()["result"] == "unchanged"


class Killed(BaseException):
    """Ends a step where it stands, as a kill does: nothing is put back."""


@pytest.mark.parametrize("function", ["write", "link", "directory"])
@pytest.mark.parametrize("number", range(1, 8))
def test_a_step_that_is_killed_anywhere_is_finished_by_the_next(
    box: Box, edit: Edit, monkeypatch: pytest.MonkeyPatch, function: str, number: int
) -> None:
    box.deploy()
    edit("app = 2\n")
    real = getattr(files, function)
    count = 0

    def die(*arguments: object, **options: object) -> object:
        nonlocal count
        count += 1
        if count == number:
            raise Killed
        return real(*arguments, **options)

    document = box.document(env_file={"path": "/etc/chat/chat.env", "text": 'TOKEN="new"\n'})
    with monkeypatch.context() as patch:
        patch.setattr(files, function, die)
        with contextlib.suppress(Killed):
            box.deploy(document)
    box.deploy(document)
    assert box.deploy(document)["result"] == "unchanged"
    assert box.at("/etc/chat/chat.env").read_text() == 'TOKEN="new"\n'
    release = box.at("/opt/chat/current").resolve()
    assert (release / "app.py").read_text() == "app = 2\n"
    state = json.loads(box.at("/var/lib/berth/services/chat/state.json").read_text())
    assert state["confirmed"]


def test_a_killed_switch_is_a_restart_for_the_next_step(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.deploy()

    def die(*_: object, **__: object) -> float:
        raise Killed

    document = box.document(env_file={"path": "/etc/chat/chat.env", "text": 'TOKEN="new"\n'})
    with monkeypatch.context() as patch:
        patch.setattr("infra.guest.health.gate", die)
        with pytest.raises(Killed):
            box.deploy(document)
    box.forget()
    assert box.deploy(document)["changed"] == ["restarted"]
    assert box.calls() == ["systemctl restart chat.service"]


def test_going_back_after_a_killed_switch_restarts_too(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = box.document()
    box.deploy(before)

    def die(*_: object, **__: object) -> float:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("infra.guest.health.gate", die)
        with pytest.raises(Killed):
            box.deploy(env_file={"path": "/etc/chat/chat.env", "text": 'TOKEN="new"\n'})
    assert box.deploy(before)["changed"] == ["environment file", "restarted"]


def test_missing_packages_are_installed_and_present_ones_left_alone(box: Box) -> None:
    box.doubles.installed = ["curl"]
    box.deploy(packages=["curl", "ffmpeg"])
    assert box.calls("apt-get")[-1].endswith(
        "install --yes --no-remove --no-install-recommends ffmpeg"
    )


def test_no_secret_reaches_a_command_or_the_state(box: Box) -> None:
    box.deploy()
    everything = "".join(box.doubles.calls) + box.said.getvalue()
    everything += box.at("/var/lib/berth/services/chat/state.json").read_text()
    assert SECRET not in everything
    holders = [path for path, (_, _, content) in box.files().items() if SECRET.encode() in content]
    assert holders == [str(box.at("/etc/chat/chat.env"))]
