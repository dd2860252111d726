"""A plugin's process serves one engine, keeps runs apart, and leaves with its parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lab.doubles.command.plugin import install_plugin, plugin_command
from tests.unit.doubles.provider_client import (
    COMMAND,
    Asking,
    Connection,
    Engine,
    Plugin,
    secret,
    wait_until,
)
from tests.unit.doubles.ssh_server import SshServer

COMMAND_LINE = plugin_command(Path(sys.executable))
NOWHERE = {"host": "127.0.0.1", "port": 1, "dialErrorLimit": -1}


def dialling(connection: Connection) -> Asking:
    return Asking(
        connection, "Create", urn=COMMAND, properties={"connection": NOWHERE, "create": "true"}
    )


def test_a_cancel_ends_the_dialling_of_its_own_run_and_of_no_other(running: Plugin) -> None:
    ours, theirs = Connection(running.port), Connection(running.port)
    for connection in (ours, theirs):
        connection.ask("Configure", acceptSecrets=True)
    running.engine.logs.clear()
    mine, other = dialling(ours), dialling(theirs)
    wait_until(
        lambda: running.engine.texts().count("Dial 1/inf failed: retrying") == 2, "both dial"
    )

    ours.ask("Cancel")

    assert mine.answer() == {"code": "CANCELLED", "error": "context canceled"}
    count = len(running.engine.logs)
    wait_until(lambda: len(running.engine.logs) > count, "the other run dials on")
    theirs.ask("Cancel")
    assert other.answer()["error"] == "context canceled"
    ours.close()
    theirs.close()


def test_a_cancel_lets_a_running_command_come_to_its_end(
    running: Plugin, ssh: SshServer, tmp_path: Path
) -> None:
    connection = Connection(running.port)
    connection.ask("Configure", acceptSecrets=True)
    asking = Asking(
        connection,
        "Create",
        urn=COMMAND,
        properties={
            "connection": secret(ssh.connection()),
            "create": f"echo on; until test -e {tmp_path}/go; do sleep 0.05; done; echo end",
        },
    )
    wait_until(lambda: "on" in running.engine.texts(), "the command runs")

    connection.ask("Cancel")
    (tmp_path / "go").touch()

    assert asking.answer()["properties"]["stdout"] == "on\nend"
    connection.close()


def test_each_run_gets_only_its_own_lines(running: Plugin, ssh: SshServer) -> None:
    engines = [Engine(), Engine()]
    for engine, word in zip(engines, ("first", "second"), strict=True):
        connection = Connection(running.port)
        connection.ask("Attach", address=engine.address)
        connection.ask(
            "Create",
            urn=COMMAND,
            properties={"connection": secret(ssh.connection()), "create": f"echo {word}"},
        )
        connection.close()
    texts = [engine.texts() for engine in engines]
    for engine in engines:
        engine.stop()

    assert [[t for t in text if t in {"first", "second"}] for text in texts] == [
        ["first"],
        ["second"],
    ]


def test_it_says_that_it_is_a_double(running: Plugin, ssh: SshServer) -> None:
    connection, engine = Connection(running.port), Engine()
    connection.ask("Attach", address=engine.address)
    for _ in range(2):
        connection.ask(
            "Create",
            urn=COMMAND,
            properties={"connection": secret(ssh.connection()), "create": "true"},
        )
    connection.close()
    engine.stop()

    said = [text for text in engine.texts() if "double" in text]
    assert len(said) == 1
    assert running.ask("GetPluginInfo") == {"version": "1.2.1+double"}


def test_it_is_gone_soon_after_its_parent_was_killed() -> None:
    with subprocess.Popen(
        ["/bin/sh", "-c", '"$@" 127.0.0.1:1 & echo $!; wait', "sh", *COMMAND_LINE],
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        words = sorted((parent.stdout.readline(), parent.stdout.readline()), key=len)
        children = psutil.Process(parent.pid).children()
        parent.kill()

    assert len(children) == 1
    assert all(word.strip().isdigit() for word in words)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_and_in_silence(number: signal.Signals) -> None:
    plugin = Plugin(COMMAND_LINE)

    plugin.process.send_signal(number)
    _, stderr = plugin.process.communicate(timeout=2)
    plugin.connection.close()
    plugin.engine.stop()

    assert stderr == ""


def test_a_module_of_the_projects_directory_does_not_stand_in_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "__init__.py").write_text("raise SystemExit('not this one')")
    (tmp_path / "asyncio.py").write_text("raise SystemExit('not this one')")
    program = install_plugin(tmp_path / "plugins", Path(sys.executable))
    monkeypatch.chdir(tmp_path)

    plugin = Plugin([str(program)])

    assert plugin.ask("GetPluginInfo") == {"version": "1.2.1+double"}
    assert program == tmp_path / "plugins" / "resource-command-v1.2.1" / "pulumi-resource-command"
    assert os.access(program, os.X_OK)
    plugin.end()


def test_a_preview_never_loads_the_ssh_library() -> None:
    code = (
        "import sys; from lab.doubles.command import plugin; "
        "sys.exit('asyncssh is loaded' if 'asyncssh' in sys.modules else 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr == ""
