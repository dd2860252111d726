"""What a user has installed is used as it is, and stays as it is."""

import hashlib
import io
import os
from pathlib import Path

import pytest

from lab.toolchain import Toolchain, ensure
from lab.toolchain.installed import fits
from tests.unit.toolchain.machine import Machine


def state_of(directory: Path) -> str:
    """Changes with any name, content, link, mode or time below the directory."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        about = path.lstat()
        digest.update(f"{path} {about.st_mode} {about.st_mtime_ns} {about.st_size}".encode())
        if path.is_file() and not path.is_symlink():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def origins(toolchain: Toolchain) -> dict[str, str]:
    return {program.name: program.origin for program in toolchain.programs}


@pytest.mark.parametrize(
    ("version", "fit"),
    [
        ("3.259.0", True),
        ("v3.259.0", True),
        ("3.259.7", True),
        ("3.258.9", False),
        ("3.272.1", True),
        ("4.259.0", False),
        ("3.259.0-dev.1", False),
        ("nonsense", False),
    ],
)
def test_an_older_engine_or_one_of_another_major_version_is_not_used(
    version: str, fit: bool
) -> None:
    assert fits(version, "3.259.0") is fit


def test_an_installed_pulumi_is_used_where_it_is_and_its_home_is_not_touched(
    machine: Machine,
) -> None:
    command = machine.install_pulumi("3.259.0")
    machine.install_plugin("proxmoxve", "8.3.0")
    (machine.pulumi_home / "credentials.json").write_text("{}")
    before = state_of(machine.pulumi_home)

    toolchain = ensure(machine.home, out=io.StringIO())

    assert toolchain.pulumi == command
    assert origins(toolchain) == {
        "pulumi": "installed",
        "language-python": "installed",
        "proxmoxve": "linked",
    }
    assert machine.calls("build") == []
    assert state_of(machine.pulumi_home) == before


def test_a_pulumi_without_its_language_host_is_not_used(machine: Machine) -> None:
    machine.install_pulumi("3.259.0", host=False)

    assert origins(ensure(machine.home, out=io.StringIO()))["pulumi"] == "built"


def test_a_language_host_is_found_wherever_it_is_until_another_engine_is_used(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = os.environ["PATH"]
    machine.install_pulumi("3.260.0", host=False)
    host = machine.put_on_path("pulumi-language-python", "exit 1\n")

    assert origins(ensure(machine.home, out=io.StringIO()))["language-python"] == "installed"
    placed = machine.home / "plugins" / "language-python-v3.260.0"
    assert (placed / host.name).readlink() == host
    placed.with_name(f"{placed.name}.lastused").touch()

    monkeypatch.setenv("PATH", search)
    assert origins(ensure(machine.home, out=io.StringIO()))["language-python"] == "double"
    assert list(placed.parent.glob("language-*")) == []


def test_a_pulumi_of_another_version_is_not_used(machine: Machine) -> None:
    machine.install_pulumi("3.100.0")

    toolchain = ensure(machine.home, out=io.StringIO())

    assert origins(toolchain)["pulumi"] == "built"
    assert toolchain.environment()["PATH"].split(os.pathsep)[0] == str(toolchain.pulumi.parent)


def test_the_engine_of_another_lab_is_not_taken_for_the_users(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = ensure(tmp_path / "first", out=io.StringIO())
    machine.put_on_path("pulumi", "echo v3.259.0\n", first.pulumi.parent)
    for name, value in first.environment().items():
        monkeypatch.setenv(name, value)

    second = ensure(tmp_path / "second", out=io.StringIO())

    assert origins(second) == {
        "pulumi": "built",
        "language-python": "double",
        "proxmoxve": "built",
    }


def test_an_installed_plugin_is_linked_and_taken_before_a_double(machine: Machine) -> None:
    theirs = machine.install_plugin("cloudflare", "6.23.1")

    toolchain = ensure(machine.home, doubles={"cloudflare": ["false"]}, out=io.StringIO())

    assert origins(toolchain)["cloudflare"] == "linked"
    placed = machine.home / "plugins" / theirs.name
    # The engine passes over plugin directories that are links themselves.
    assert not placed.is_symlink()
    executable = placed / "pulumi-resource-cloudflare"
    assert executable.resolve() == theirs / "pulumi-resource-cloudflare"


@pytest.mark.parametrize("present", ["resource-cloudflare-v6.23.0", "resource-cloudflare-v6.24.0"])
def test_a_plugin_of_another_version_is_not_linked(machine: Machine, present: str) -> None:
    machine.install_plugin("cloudflare", present.rpartition("-v")[2])

    assert "cloudflare" not in origins(ensure(machine.home, out=io.StringIO()))


def test_a_plugin_whose_installation_was_cut_off_is_not_linked(machine: Machine) -> None:
    directory = machine.install_plugin("cloudflare", "6.23.1")
    directory.with_name(f"{directory.name}.partial").touch()

    assert "cloudflare" not in origins(ensure(machine.home, out=io.StringIO()))


def test_a_plugin_that_was_uninstalled_leaves_no_dangling_link(machine: Machine) -> None:
    directory = machine.install_plugin("cloudflare", "6.23.1")
    ensure(machine.home, out=io.StringIO())
    (directory / "pulumi-resource-cloudflare").unlink()
    directory.rmdir()

    ensure(machine.home, out=io.StringIO())

    assert not (machine.home / "plugins" / directory.name).exists()


def test_a_double_is_called_one_and_runs_its_command(machine: Machine, tmp_path: Path) -> None:
    double = machine.put_on_path("a double", 'echo "$0 $1"\n', tmp_path)

    toolchain = ensure(machine.home, doubles={"command": [str(double)]}, out=io.StringIO())

    assert origins(toolchain)["command"] == "double"
    served = next(program for program in toolchain.programs if program.name == "command")
    with os.popen(f"'{served.path}' 127.0.0.1:1") as answer:  # noqa: S605
        assert answer.read() == f"{double} 127.0.0.1:1\n"


def test_the_environment_shows_nothing_of_the_users_pulumi(machine: Machine) -> None:
    toolchain = ensure(machine.home, out=io.StringIO())

    environment = toolchain.environment({"PULUMI_HOME": "/theirs", "PATH": "/theirs/bin"})

    assert environment["PULUMI_HOME"] == str(machine.home)
    assert environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] == "true"
    assert environment["PATH"].split(os.pathsep)[-1] == "/theirs/bin"
