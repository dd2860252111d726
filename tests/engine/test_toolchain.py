"""The real engine, its language host and the real provider, without a lab."""

import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pulumi_proxmoxve
import pytest

from lab.toolchain import Toolchain, ensure

# The first one on a machine compiles everything.
pytestmark = pytest.mark.timeout(900)

# A plain provider and something that never comes: the engine waits for the program.
HANGS = """
import asyncio, subprocess
import pulumi, pulumi_proxmoxve

pulumi_proxmoxve.Provider("node", endpoint="https://127.0.0.1:1/", api_token="a@pve!b=c")
subprocess.Popen(["sleep", "987"])

async def never():
    pulumi.log.info("hangs")
    await asyncio.sleep(987)

pulumi.export("never", pulumi.Output.from_input(never()))
"""


@dataclass(frozen=True)
class Project:
    """A Pulumi project in a directory of its own, with a backend of its own."""

    directory: Path
    environment: dict[str, str]
    pulumi: Path

    def write(self, program: str, file: str = "__main__.py") -> None:
        (self.directory / file).write_text(program)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.pulumi, *arguments, "--non-interactive"],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [self.pulumi, *arguments, "--non-interactive"],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as engine:
            try:
                yield engine
            finally:
                engine.kill()


def clean_path() -> str:
    """PATH without the engines that others have installed."""
    entries = [entry for entry in os.get_exec_path() if not (Path(entry) / "pulumi").exists()]
    return os.pathsep.join(entries)


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolchain]:
    """The built one, also where a Pulumi is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", clean_path())
        patch.setenv("PULUMI_HOME", str(tmp_path_factory.mktemp("empty")))
        yield ensure(tmp_path_factory.mktemp("home"))


def project_of(toolchain: Toolchain, directory: Path) -> Project:
    directory.mkdir()
    (directory / "Pulumi.yaml").write_text("name: tried\nruntime: python\n")
    (directory / "backend").mkdir()
    project = Project(
        directory=directory,
        environment={
            **toolchain.environment({**os.environ, "PATH": clean_path()}),
            "PULUMI_BACKEND_URL": f"file://{directory}/backend",
            "PULUMI_CONFIG_PASSPHRASE": "throw-away",
        },
        pulumi=toolchain.pulumi,
    )
    made = project.run("stack", "init", "one")
    assert made.returncode == 0, made.stderr
    return project


@pytest.fixture
def project(toolchain: Toolchain, tmp_path: Path) -> Project:
    return project_of(toolchain, tmp_path / "project")


def descendants(process: int) -> list[psutil.Process]:
    return psutil.Process(process).children(recursive=True)


def command_line(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def wait_for_all(process: int, *parts: str) -> list[psutil.Process]:
    """The descendants, once each of `parts` is in the command line of one of them."""
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        found = descendants(process)
        lines = [command_line(one) for one in found]
        if all(any(part in line for line in lines) for part in parts):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{parts} did not all start within 30 s")


def state_of(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        about = path.lstat()
        digest.update(f"{path} {about.st_mode} {about.st_mtime_ns} {about.st_size}".encode())
    return digest.hexdigest()


def test_an_empty_program_is_deployed_and_then_there_is_nothing_to_change(project: Project) -> None:
    project.write("import pulumi; pulumi.export('answer', 42)")

    up = project.run("up", "--yes")
    again = project.run("preview", "--expect-no-changes")

    assert up.returncode == 0, up.stdout + up.stderr
    assert again.returncode == 0, again.stdout
    assert project.run("stack", "output", "answer").stdout == "42\n"
    assert "warning" not in up.stdout + again.stdout


def test_the_program_gets_its_configuration_and_knows_what_is_secret(project: Project) -> None:
    project.run("config", "set", "plain", "a b=c")
    project.run("config", "set", "--secret", "hidden", "top-secret")
    project.write(
        "import pulumi; c = pulumi.Config()\n"
        "pulumi.export('plain', c.require('plain'))\n"
        "pulumi.export('hidden', c.require_secret('hidden'))\n"
        "pulumi.export('where', pulumi.get_stack() + ' ' + pulumi.get_project())\n"
    )

    up = project.run("up", "--yes", "--skip-preview")
    shown = json.loads(project.run("stack", "output", "--json").stdout)
    revealed = project.run("stack", "output", "--show-secrets", "hidden").stdout

    assert shown == {"plain": "a b=c", "hidden": "[secret]", "where": "one tried"}
    assert revealed == "top-secret\n"
    assert "top-secret" not in up.stdout


def test_the_program_runs_with_the_packages_of_the_lab(project: Project) -> None:
    project.write("import sys, pulumi; pulumi.export('python', sys.executable)")
    project.run("up", "--yes", "--skip-preview")

    assert project.run("stack", "output", "python").stdout.strip() == sys.executable


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import pulumi\nraise ValueError('no such host')", "ValueError: no such host"),
        (
            "import pulumi\nraise pulumi.RunError('hosts/chat: is missing')",
            "hosts/chat: is missing",
        ),
        ("import sys; sys.exit(3)", "Program exited with non-zero exit code: 3"),
        ("import os; os.kill(os.getpid(), 15)", "Program was ended by SIGTERM"),
        ("import no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_a_failing_program_fails_the_run_with_its_own_message(
    project: Project, program: str, said: str
) -> None:
    project.write(program)

    preview = project.run("preview")

    assert preview.returncode != 0
    assert preview.stdout.split("Diagnostics:")[1].count(said) == 1
    assert "language_host.py" not in preview.stdout + preview.stderr


def test_an_error_that_the_program_has_shown_is_not_followed_by_another(project: Project) -> None:
    project.write("import pulumi\nraise ValueError('no such host')")

    shown = project.run("preview").stdout.split("Diagnostics:")[1]

    assert shown.count("error:") == 1


def test_a_project_without_a_program_is_told_so(project: Project) -> None:
    preview = project.run("preview")

    assert preview.returncode != 0
    assert "__main__.py" in preview.stdout + preview.stderr


def test_a_program_elsewhere_in_the_project_is_found(project: Project) -> None:
    project.write("name: tried\nruntime: python\nmain: below/program.py\n", "Pulumi.yaml")
    (project.directory / "below").mkdir()
    project.write("import pulumi; pulumi.export('answer', 42)", "below/program.py")

    assert project.run("up", "--yes").returncode == 0
    assert project.run("stack", "output", "answer").stdout == "42\n"


def test_nothing_outlives_an_engine_that_is_killed(project: Project) -> None:
    project.write(HANGS)
    with project.running("up", "--yes", "--skip-preview") as engine:
        ours = wait_for_all(engine.pid, "language_host.py", "python-exec", "sleep 987", "proxmoxve")
        engine.kill()

        _, left = psutil.wait_procs(ours, timeout=10)

    assert left == []


@pytest.mark.parametrize("moment", [0, 0.05, 0.1, 0.2, 0.3, 0.5])
def test_nothing_outlives_an_engine_that_is_killed_while_its_programs_start(
    project: Project, moment: float
) -> None:
    project.write(HANGS)
    with project.running("preview") as engine:
        ours = set(wait_for_all(engine.pid, "language"))
        limit = time.monotonic() + moment
        while time.monotonic() < limit:
            ours |= set(descendants(engine.pid))
            time.sleep(0.01)
        engine.kill()

        _, left = psutil.wait_procs(ours, timeout=10)

    assert left == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_with_everything_and_without_a_traceback(
    project: Project, number: signal.Signals
) -> None:
    project.write(HANGS)
    with project.running("up", "--yes", "--skip-preview") as engine:
        ours = wait_for_all(engine.pid, "language_host.py", "python-exec", "sleep 987", "proxmoxve")
        engine.send_signal(number)
        said, _ = engine.communicate(timeout=60)

    assert engine.returncode != 0
    assert "update canceled" in said
    assert "Traceback" not in said
    _, left = psutil.wait_procs(ours, timeout=10)
    assert left == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_language_host_obeys_signals_in_silence(
    toolchain: Toolchain, number: signal.Signals
) -> None:
    # The engine waits five seconds for one that does not, twice in every run.
    host = toolchain.pulumi.with_name("pulumi-language-python")
    with subprocess.Popen(
        [host, "127.0.0.1:1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert int(process.stdout.readline()) > 0
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()

    assert process.returncode == 0
    assert errors == ""


def sdk_tokens() -> set[str]:
    found: set[str] = set()
    package = Path(pulumi_proxmoxve.__file__).parent
    for module in package.rglob("*.py"):
        found.update(re.findall(r"'(proxmoxve:[\w/]+:\w+)'", module.read_text()))
    return found


def provider_info(toolchain: Toolchain) -> dict[str, dict[str, dict[str, object]]]:
    plugin = next(program for program in toolchain.programs if program.name == "proxmoxve")
    answer = subprocess.check_output([plugin.path, "-get-provider-info"], text=True)
    info: dict[str, dict[str, dict[str, object]]] = json.loads(answer)
    return info


def test_the_provider_serves_every_resource_and_function_of_the_sdk(toolchain: Toolchain) -> None:
    info = provider_info(toolchain)
    served = {
        str(one["tok"]) for kind in ("resources", "dataSources") for one in info[kind].values()
    }

    assert len(served) > 200
    assert served == sdk_tokens()


PLAN = """
import pulumi, pulumi_proxmoxve as p
node = p.Provider("node", endpoint="https://127.0.0.1:1/", api_token="a@pve!b=c")
o = pulumi.ResourceOptions(provider=node)
eth = {"name": "eth0", "bridge": "vmbr0"}
p.ContainerLegacy("chat", node_name="n", vm_id=111, network_interfaces=[eth], opts=o)
p.download.File("template", node_name="n", datastore_id="local", content_type="vztmpl",
                url="https://example.org/debian.tar.zst", opts=o)
p.PoolLegacy("pool", pool_id="web", opts=o)
p.pool.Membership("member", pool_id="web", vm_id=111, opts=o)
p.firewall.OptionsLegacy("firewall", node_name="n", container_id=111, opts=o)
p.firewall.RulesLegacy("rules", node_name="n", container_id=111,
                       rules=[{"action": "ACCEPT", "type": "in"}], opts=o)
p.storage.Directory("storage", resource_id="more", path="/srv", opts=o)
p.cluster.firewall.security.GroupLegacy("group", opts=o)
"""


def test_the_provider_plans_what_stacks_are_made_of(project: Project) -> None:
    project.write(PLAN)

    preview = project.run("preview", "--json")
    plan = json.loads(preview.stdout)

    assert preview.returncode == 0, preview.stdout
    created = [step["urn"].rsplit("::", 1)[1] for step in plan["steps"] if step["op"] == "create"]
    assert set(created) >= {"node", "chat", "template", "pool", "member", "firewall", "rules"}
    assert set(created) >= {"storage", "group"}


def test_a_vm_id_that_proxmox_reserves_is_refused_at_preview(project: Project) -> None:
    project.write(PLAN.replace('node_name="n", vm_id=111, ', 'node_name="n", vm_id=7, '))

    preview = project.run("preview")

    assert preview.returncode != 0
    assert "vmId" in preview.stdout or "vm_id" in preview.stdout


def test_an_installed_pulumi_runs_the_project_and_its_home_stays_as_it_was(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    shutil.copytree(toolchain.pulumi.parent, theirs / "bin")
    their_home = tmp_path / "their-home"
    plugin = Path("plugins") / "resource-proxmoxve-v8.3.0"
    shutil.copytree(toolchain.home / plugin, their_home / plugin)
    (their_home / "credentials.json").write_text("{}")
    monkeypatch.setenv("PATH", f"{theirs / 'bin'}{os.pathsep}{clean_path()}")
    monkeypatch.setenv("PULUMI_HOME", str(their_home))
    before = state_of(their_home)

    found = ensure(tmp_path / "home")
    project = project_of(found, tmp_path / "project")
    project.write(PLAN)
    preview = project.run("preview")

    assert preview.returncode == 0, preview.stdout + preview.stderr
    assert found.pulumi == theirs / "bin" / "pulumi"
    origins = {program.name: program.origin for program in found.programs}
    assert origins["pulumi"] == "installed"
    assert origins["proxmoxve"] == "linked"
    assert state_of(their_home) == before


def test_a_second_run_of_the_builder_does_less_than_a_second_of_work(toolchain: Toolchain) -> None:
    command = [sys.executable, "-m", "lab.toolchain", "--home", str(toolchain.home)]
    # Processor time: the same however busy the machine is, and it waits for nothing.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    assert done.stderr == ""
