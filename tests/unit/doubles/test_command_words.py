"""Where the real plugin hangs, breaks or only says little, the double fails and says why."""

import socket
import threading
from pathlib import Path

import pytest

from tests.unit.doubles.provider_client import (
    COMMAND,
    COPY,
    COPY_FILE,
    KIND,
    Asking,
    Json,
    Plugin,
    archive,
    asset,
    copy,
    create,
    secret,
    wait_until,
)
from tests.unit.doubles.ssh_server import SshServer


def test_a_megabyte_on_one_line_fails_instead_of_hanging(plugin: Plugin, ssh: SshServer) -> None:
    answer = create(plugin, ssh.connection(), create="head -c 1000000 /dev/zero | tr '\\0' x")

    assert "one line of its output is longer than 65536 bytes" in answer["error"]
    assert "set logging to none" in answer["error"]


def test_a_megabyte_on_one_line_arrives_where_nothing_is_logged(
    plugin: Plugin, ssh: SshServer
) -> None:
    answer = create(
        plugin, ssh.connection(), create="head -c 1000000 /dev/zero | tr '\\0' x", logging="none"
    )

    assert answer["properties"]["stdout"] == "x" * 1_000_000


def test_output_that_is_no_text_is_named_as_the_reason(plugin: Plugin, ssh: SshServer) -> None:
    answer = create(plugin, ssh.connection(), create="printf 'ab\\377'")

    assert answer["code"] == "INTERNAL"
    assert "stdout, byte 2" in answer["error"]


def test_a_command_that_leaves_its_stdin_unread_fails_as_with_the_real_plugin(
    plugin: Plugin, ssh: SshServer
) -> None:
    answer = create(plugin, ssh.connection(), create="true", stdin="x" * 8_000_000)

    assert answer["error"].startswith('EOF: running "true":\n')
    assert "without having read its stdin" in answer["error"]


def test_a_server_that_never_finishes_the_handshake_is_given_up(plugin: Plugin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        answer = create(
            plugin,
            {"host": "127.0.0.1", "port": port, "perDialTimeout": 1, "dialErrorLimit": 5},
            create="true",
        )

    assert "did not finish the handshake within 1 s" in answer["error"]
    assert "hangs" in answer["error"]


def test_a_connection_that_breaks_during_a_command_fails_the_step(
    plugin: Plugin, ssh: SshServer
) -> None:
    asking = Asking(
        plugin.connection,
        "Create",
        urn=COMMAND,
        properties={"connection": secret(ssh.connection()), "create": "echo begun; sleep 30"},
    )
    wait_until(lambda: "begun" in plugin.engine.texts(), "the command has begun")
    ssh.drop_connections()

    answer = asking.answer()

    assert answer["error"] == (
        "wait: remote command exited without exit status or exit signal: "
        'running "echo begun; sleep 30":\nbegun\n'
    )


def test_a_line_is_shown_while_the_command_still_runs(
    plugin: Plugin, ssh: SshServer, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    asking = Asking(
        plugin.connection,
        "Create",
        urn=COMMAND,
        properties={
            "connection": secret(ssh.connection()),
            "create": f"echo waiting; until test -e {go}; do sleep 0.05; done; echo over >&2",
        },
    )
    wait_until(lambda: "waiting" in plugin.engine.texts(), "the line is shown")
    assert asking.is_alive()
    go.touch()

    answer = asking.answer()

    assert answer["properties"]["stdout"] == "waiting"
    shown = [log for log in plugin.engine.logs if log.message in {"waiting", "over"}]
    assert [(log.urn, log.ephemeral) for log in shown] == [(COMMAND, True)] * 2


@pytest.mark.parametrize(
    ("logging", "shown"),
    [("stdout", ["o"]), ("stderr", ["e"]), ("stdoutAndStderr", ["o", "e"]), ("none", [])],
)
def test_only_the_wanted_output_is_shown(
    logging: str, shown: list[str], plugin: Plugin, ssh: SshServer
) -> None:
    command = "echo o; sleep 0.1; echo e >&2"
    create(plugin, ssh.connection(), create=command, logging=logging)

    assert [text for text in plugin.engine.texts() if text in {"o", "e"}] == shown


def test_secrets_stay_secret_in_what_is_stored(plugin: Plugin, ssh: SshServer) -> None:
    answer = create(plugin, ssh.connection(), create="cat >/dev/null", stdin=secret("hidden"))

    assert answer["properties"]["stdin"] == secret("hidden")
    assert answer["properties"]["connection"][KIND] == secret(0)[KIND]
    assert "hidden" not in " ".join(plugin.engine.texts())


def test_a_text_is_no_file_name_for_a_directory(
    plugin: Plugin, ssh: SshServer, tmp_path: Path
) -> None:
    answer = copy(plugin, ssh.connection(), asset(text="hello", hash="1"), tmp_path)
    made = copy(plugin, ssh.connection(), asset(text="hello", hash="1"), tmp_path / "a" / "b")

    assert "when using a text asset, remotePath must be a file path" in answer["error"]
    assert made["id"]
    assert (tmp_path / "a" / "b").read_text() == "hello"


def test_the_content_of_a_directory_lands_where_its_path_ends_in_a_slash(
    plugin: Plugin, ssh: SshServer, tmp_path: Path
) -> None:
    (tmp_path / "from" / "sub").mkdir(parents=True)
    (tmp_path / "from" / "sub" / "f").write_text("f")

    copy(plugin, ssh.connection(), archive(path=f"{tmp_path}/from/", hash="1"), tmp_path / "to")

    assert (tmp_path / "to" / "sub" / "f").read_text() == "f"


def test_nothing_is_copied_again_when_only_the_connection_changed(
    plugin: Plugin, ssh: SshServer, tmp_path: Path
) -> None:
    same = {"source": asset(path="/none", hash="1"), "remotePath": str(tmp_path / "x")}
    before = ssh.logins

    answer = plugin.ask(
        "Update",
        urn=COPY,
        id="i",
        olds={"connection": secret(ssh.connection(user="before")), **same},
        news={"connection": secret(ssh.connection()), **same},
    )

    assert "error" not in answer
    assert ssh.logins == before


def test_the_deprecated_copy_makes_no_directories(
    plugin: Plugin, ssh: SshServer, tmp_path: Path
) -> None:
    (tmp_path / "f").write_text("f")

    def ask(target: Path) -> Json:
        properties = {
            "connection": secret(ssh.connection()),
            "localPath": str(tmp_path / "f"),
            "remotePath": str(target),
        }
        return plugin.ask("Create", urn=COPY_FILE, properties=properties)

    assert ask(tmp_path / "no" / "such")["error"] == "file does not exist"
    assert ask(tmp_path / "g")["id"]
    assert (tmp_path / "g").read_text() == "f"


def test_a_type_that_the_double_has_not_is_refused_by_its_name(plugin: Plugin) -> None:
    urn = "urn:pulumi:one::tried::command:local:Command::res"

    answer = plugin.ask("Check", urn=urn, news={})

    assert answer["code"] == "NOT_FOUND"
    assert "'local:Command' not found: command 1.2.1 is the lab's double" in answer["error"]


def test_commands_run_beside_each_other(plugin: Plugin, ssh: SshServer, tmp_path: Path) -> None:
    wait = "touch {0}/{1}; until test -e {0}/{2}; do sleep 0.02; done"
    asked = [
        Asking(
            plugin.connection,
            "Create",
            urn=COMMAND,
            properties={
                "connection": secret(ssh.connection()),
                "create": wait.format(tmp_path, mine, theirs),
            },
        )
        for mine, theirs in (("a", "b"), ("b", "a"))
    ]

    assert all("error" not in asking.answer() for asking in asked)
    assert threading.active_count() < 50
