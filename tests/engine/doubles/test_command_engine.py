"""The command double under the real engine, with the SDK that production uses."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from lab.doubles.command.plugin import plugin_command
from lab.toolchain import Toolchain, ensure
from tests.unit.doubles.provider_client import wait_until
from tests.unit.doubles.ssh_server import SshServer

pytestmark = pytest.mark.timeout(900)  # The first one on a machine compiles the engine.

PROGRAM = """
import json, os
import pulumi
import pulumi_command as command

asked = json.loads(os.environ["ASKED"])
connection = command.remote.ConnectionArgs(**asked["connection"])
if "command" in asked:
    inputs = dict(asked["command"])
    if "stdin" in inputs:
        inputs["stdin"] = pulumi.Output.secret(inputs["stdin"])
    made = command.remote.Command("step", connection=connection, **inputs)
    pulumi.export("stdout", made.stdout)
if "copy" in asked:
    command.remote.CopyToRemote(
        "copy",
        connection=connection,
        source=pulumi.FileArchive(asked["copy"][0]),
        remote_path=asked["copy"][1],
    )
"""


@dataclass(frozen=True)
class Project:
    """A project with one stack, on the double."""

    directory: Path
    environment: dict[str, str]
    pulumi: Path
    ssh: SshServer

    def asking(self, **asked: object) -> dict[str, str]:
        connection = {
            "host": "127.0.0.1",
            "port": self.ssh.port,
            "private_key": self.ssh.private_key,
            "host_key": self.ssh.host_key_line,
            "dial_error_limit": 1,
        }
        return {**self.environment, "ASKED": json.dumps({"connection": connection, **asked})}

    def run(self, *words: str, **asked: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.pulumi, *words, "--non-interactive"],
            cwd=self.directory,
            env=self.asking(**asked),
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def up(self, **asked: object) -> str:
        done = self.run("up", "--yes", "--skip-preview", **asked)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def state(self) -> str:
        return self.run("stack", "export").stdout


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    home = tmp_path_factory.mktemp("pulumi")
    return ensure(home, doubles={"command": plugin_command(Path(sys.executable))})


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[SshServer]:
    home = tmp_path / "home"
    home.mkdir()
    server = SshServer(home)
    server.start()
    yield server
    server.stop()


def project_of(toolchain: Toolchain, directory: Path, ssh: SshServer) -> Project:
    (directory / "backend").mkdir(parents=True)
    (directory / "Pulumi.yaml").write_text("name: tried\nruntime: python\n")
    (directory / "__main__.py").write_text(PROGRAM)
    environment = {
        **toolchain.environment(),
        "PULUMI_BACKEND_URL": f"file://{directory}/backend",
        "PULUMI_CONFIG_PASSPHRASE": "throw-away",
    }
    environment.pop("SSH_AUTH_SOCK", None)
    project = Project(directory, environment, toolchain.pulumi, ssh)
    made = project.run("stack", "init", "one")
    assert made.returncode == 0, made.stderr
    return project


@pytest.fixture
def project(toolchain: Toolchain, tmp_path: Path, ssh: SshServer) -> Project:
    return project_of(toolchain, tmp_path / "project", ssh)


def plugins_of(engine: int) -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process(engine).children(recursive=True)
        if any("lab.doubles.command" in word for word in process.cmdline())
    ]


@contextmanager
def waiting(project: Project, go: Path) -> Iterator["subprocess.Popen[str]"]:
    """A run whose step waits for the file `go`, from the moment the step runs."""
    step = {"create": f"until test -e {go}; do sleep 0.1; done; echo whole"}
    with subprocess.Popen(
        [project.pulumi, "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=project.directory,
        env=project.asking(command=step),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as engine:
        try:
            wait_until(lambda: project.ssh.commands, "the step runs", 60)
            yield engine
        finally:
            engine.kill()
            go.touch()


def wait_for_line(engine: "subprocess.Popen[str]", word: str) -> None:
    assert engine.stdout is not None
    assert any(word in line for line in engine.stdout), f"it never said {word}"


def test_a_step_runs_once_and_an_unchanged_stack_makes_no_connection(project: Project) -> None:
    step = {"create": "echo line; cat", "stdin": "a secret word"}

    said = project.up(command=step)
    logins = project.ssh.logins
    again = project.run("preview", "--expect-no-changes", command=step)
    project.up(command=step)

    assert "step creating" in said
    assert ") line\n" in said
    assert "double" in said
    assert again.returncode == 0, again.stdout
    assert project.ssh.logins == logins == 1
    assert project.run("stack", "output", "stdout").stdout == "line\na secret word\n"


def test_the_state_shows_neither_connection_nor_stdin(project: Project) -> None:
    project.up(command={"create": "cat > /dev/null", "stdin": "a secret word"})

    state = project.state()

    assert "a secret word" not in state
    assert "OPENSSH PRIVATE KEY" not in state
    assert '"create": "cat \\u003e /dev/null"' in state or "cat > /dev/null" in state


def test_a_changed_command_updates_and_a_changed_trigger_replaces(project: Project) -> None:
    step = {"create": "echo made", "update": "echo changed", "delete": "echo gone"}
    project.up(command={**step, "triggers": ["1"]})

    changed = project.up(command={**step, "triggers": ["1"], "stdin": "x"})
    preview = project.run("preview", command={**step, "triggers": ["2"], "stdin": "x"}).stdout
    replaced = project.up(command={**step, "triggers": ["2"], "stdin": "x"})

    assert "[diff: +stdin]" in changed
    assert "replace" in preview
    assert "+-1 replaced" in replaced
    assert project.ssh.commands == ["echo made", "echo changed", "echo made", "echo gone"]


def test_a_destroy_runs_the_delete_command(project: Project) -> None:
    project.up(command={"create": "echo made", "delete": "echo gone"})

    done = project.run("destroy", "--yes", "--skip-preview")

    assert done.returncode == 0, done.stdout
    assert project.ssh.commands == ["echo made", "echo gone"]


def test_a_failed_step_shows_its_status_and_output(project: Project) -> None:
    done = project.run(
        "up", "--yes", "--skip-preview", command={"create": "echo tried; exit 3", "logging": "none"}
    )

    assert done.returncode != 0
    assert 'Process exited with status 3: running "echo tried; exit 3":' in done.stdout
    assert "tried\n" in done.stdout


def test_a_long_failure_reaches_the_user_whole(project: Project) -> None:
    command = (
        "for i in $(seq 20000); do echo 0123456789012345678901234567890123456789; done; exit 1"
    )

    done = project.run(
        "up", "--yes", "--skip-preview", command={"create": command, "logging": "none"}
    )

    diagnostics = done.stdout.partition("Diagnostics:")[2]
    assert diagnostics.count("0123456789" * 4) >= 20_000


def test_only_changed_content_is_copied_again(project: Project, tmp_path: Path) -> None:
    source, target = tmp_path / "code", tmp_path / "there"
    source.mkdir()
    (source / "a").write_text("1")
    copy = [str(source), str(target)]
    project.up(copy=copy)
    logins = project.ssh.logins

    project.up(copy=copy)
    unchanged = project.ssh.logins
    (source / "a").write_text("2")
    said = project.up(copy=copy)

    assert unchanged == logins
    assert "[diff: ~source]" in said
    assert (target / "code" / "a").read_text() == "2"


def test_nothing_is_left_ten_seconds_after_the_engine_was_killed(
    project: Project, tmp_path: Path
) -> None:
    with waiting(project, tmp_path / "go") as engine:
        plugins = plugins_of(engine.pid)
        engine.kill()

    assert plugins
    assert psutil.wait_procs(plugins, timeout=10)[1] == []


def test_an_interrupted_run_waits_for_its_step_and_keeps_the_result(
    project: Project, tmp_path: Path
) -> None:
    with waiting(project, tmp_path / "go") as engine:
        plugins = plugins_of(engine.pid)
        engine.send_signal(signal.SIGINT)
        wait_for_line(engine, "cancelling")
        (tmp_path / "go").touch()
        said, _ = engine.communicate(timeout=60)

    assert "Traceback" not in said
    assert '"stdout": "whole"' in project.state()
    assert plugins
    assert psutil.wait_procs(plugins, timeout=10)[1] == []


def test_a_run_interrupted_twice_ends_at_once_with_its_plugin(
    project: Project, tmp_path: Path
) -> None:
    with waiting(project, tmp_path / "go") as engine:
        plugins = plugins_of(engine.pid)
        engine.send_signal(signal.SIGINT)
        wait_for_line(engine, "cancelling")
        engine.send_signal(signal.SIGINT)
        said, _ = engine.communicate(timeout=30)
    (tmp_path / "go").touch()

    assert "Traceback" not in said
    assert plugins
    assert psutil.wait_procs(plugins, timeout=10)[1] == []


def test_two_runs_at_once_have_nothing_in_common(
    toolchain: Toolchain, tmp_path: Path, ssh: SshServer
) -> None:
    first = project_of(toolchain, tmp_path / "first", ssh)
    second = project_of(toolchain, tmp_path / "second", ssh)
    go = tmp_path / "go"
    with waiting(second, go) as engine:
        first.up(command={"create": "echo quick"})
        go.touch()
        said, _ = engine.communicate(timeout=60)

    assert engine.returncode == 0, said
    assert second.run("stack", "output", "stdout").stdout == "whole\n"
    assert first.run("stack", "output", "stdout").stdout == "quick\n"
