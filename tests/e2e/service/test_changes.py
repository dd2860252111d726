"""Each edit changes only what it must, counted on the host."""

import shutil
from pathlib import Path

from tests.conftest import REPO
from tests.e2e.service.site import UP, Site, steps

ENV_FILE = "/etc/chat/chat.env"
SERVICE_UNIT = "/etc/systemd/system/chat.service"


def names(paths: list[str]) -> set[str]:
    """Paths without what differs in each run: releases and archives are named by hashes."""
    found = set()
    for path in paths:
        for part in ("/opt/chat/releases", "/opt/chat/envs", "/var/lib/berth/incoming"):
            if path.startswith(part):
                found.add(part)
                break
        else:
            found.add(path)
    return found


def test_nothing_to_change_opens_no_connection_at_all(going: Site) -> None:
    with going.watched() as seen:
        assert "19 unchanged" in going.preview().text
        assert "19 unchanged" in going.up().text
    assert (seen[0].logins, seen[0].written, seen[0].restarted) == (0, [], [])


def test_an_edit_of_code_changes_one_release_and_restarts_once(going: Site) -> None:
    going.edit("app/__init__.py", '"""', '"""Edited. ')
    with going.watched() as seen:
        said = going.up().text
    assert steps(said) == {"chat-archive": "updated", "chat-deploy": "updated"}
    assert seen[0].logins == 2
    assert seen[0].restarted == ["chat.service"]
    assert names(seen[0].written) == {
        "/opt/chat/releases",
        "/opt/chat/current",
        "/var/lib/berth/incoming",
        "/var/lib/berth/services/chat/state.json",
    }
    assert "Edited" in going.run("cat /opt/chat/current/app/__init__.py")


def test_one_value_changes_one_file_and_restarts_once(going: Site) -> None:
    going.service["environment"] = {"DELAY_MS": "20"}
    with going.watched() as seen:
        said = going.up().text
    assert steps(said) == {"chat-deploy": "updated"}
    assert (seen[0].logins, seen[0].restarted) == (1, ["chat.service"])
    assert names(seen[0].written) == {ENV_FILE, "/var/lib/berth/services/chat/state.json"}


def test_a_secret_changes_one_file_and_is_shown_nowhere(going: Site) -> None:
    going.config["berth:secrets"] = {
        "first": {"secure": "v1:aaaa:bbbb"},
        "second": {"secure": "v1:aaaa:bbbb"},
    }
    going.service["secrets"] = {"API_KEY": "first"}
    going.up()
    going.service["secrets"] = {"API_KEY": "second"}
    with going.watched() as seen:
        said = going.up().text
    value = going.run(f"sed -n 's/^API_KEY=\"\\(.*\\)\"$/\\1/p' {ENV_FILE}").strip()
    assert len(value) == 32
    assert value not in said
    assert (seen[0].logins, seen[0].restarted) == (1, ["chat.service"])
    assert names(seen[0].written) == {ENV_FILE, "/var/lib/berth/services/chat/state.json"}


def test_another_lock_makes_another_environment(going: Site) -> None:
    going.edit("requirements.txt", "#", "# Edited.\n#")
    before = going.run("readlink /opt/chat/current/.venv").strip()
    with going.watched() as seen:
        going.up()
    assert going.run("readlink /opt/chat/current/.venv").strip() != before
    assert seen[0].restarted == ["chat.service"]
    assert ENV_FILE not in seen[0].written
    assert SERVICE_UNIT not in seen[0].written
    assert going.run("ls /opt/chat/envs | wc -l").strip() == "1"


def test_a_setting_of_the_unit_changes_the_unit_alone(going: Site) -> None:
    going.service["limits"] = {"memory_mb": 300}
    with going.watched() as seen:
        said = going.up().text
    assert steps(said) == {"chat-deploy": "updated"}
    assert (seen[0].logins, seen[0].restarted) == (1, ["chat.service"])
    assert names(seen[0].written) == {SERVICE_UNIT, "/var/lib/berth/services/chat/state.json"}


def test_another_port_closes_the_old_one(going: Site) -> None:
    going.service["port"] = 8100
    said = going.up().text
    assert "opening port 8100" in said
    assert "healthy" in going.get("/healthz")
    assert ":8000" not in going.run("ss -Hltn")
    del going.service["port"]
    assert "opening port 8000" in going.up().text


def test_a_newer_guest_program_restarts_nothing(going: Site, tmp_path: Path) -> None:
    """An unchanged stack, run by a checkout whose guest program is another one."""
    newer = tmp_path / "berth"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "tests", "docs")
    shutil.copytree(REPO, newer, ignore=left_out)
    with (newer / "infra" / "guest" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("# Another version.\n")
    before = going.run("ls /var/lib/berth/guest").split()
    with going.watched() as seen:
        said = going.lab.cli(
            "run", "--stack", going.stack.path, "--", "pulumi", *UP,
            "--color", "never", "--non-interactive", cwd=newer,
        ).text  # fmt: skip
    assert set(steps(said)) == {"one-guest", "chat-deploy", "chat-remove"}
    assert "chat: asks whether all is as it should be; restarts nothing" in said
    [program] = set(going.run("ls /var/lib/berth/guest").split()) - set(before)
    assert (seen[0].logins, seen[0].restarted) == (2, [])
    assert names(seen[0].written) == {f"/var/lib/berth/guest/{program}"}
    going.up()
