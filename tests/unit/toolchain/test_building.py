"""Programs are compiled when they must be, once, and whole or not at all."""

import io
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.toolchain import compiling, ensure
from lab.toolchain.golang import installed_go
from lab.toolchain.pins import PROXMOXVE, PULUMI
from tests.unit.toolchain.machine import REPO, Machine, Until

TITLES = {PULUMI.executable, PROXMOXVE.executable}


def shelves(cache: Path) -> dict[str, list[str]]:
    """What the cache shows under each name, the lock files aside."""
    return {
        shelf.name: sorted(entry.name for entry in shelf.iterdir() if entry.name != ".lock")
        for shelf in (cache / "programs").iterdir()
    }


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def compilers(machine: Machine) -> list[int]:
    started = machine.go / "compiling"
    return [int(line) for line in started.read_text().split()] if started.exists() else []


def test_a_second_run_compiles_nothing_and_says_nothing(machine: Machine) -> None:
    ensure(machine.home, out=io.StringIO())
    compiled = len(machine.calls("build"))

    said = io.StringIO()
    ensure(machine.home, out=said)

    assert compiled == len(TITLES)
    assert len(machine.calls("build")) == compiled
    assert said.getvalue() == ""


def test_the_engine_finds_its_language_host_and_plugin_where_it_looks(machine: Machine) -> None:
    toolchain = ensure(machine.home, out=io.StringIO())

    assert not toolchain.pulumi.is_symlink()
    for name in ("pulumi-language-python", "pulumi-language-python-exec"):
        assert os.access(toolchain.pulumi.with_name(name), os.X_OK)
    plugin = machine.home / "plugins" / "resource-proxmoxve-v8.3.0"
    assert not plugin.is_symlink()
    assert os.access(plugin / "pulumi-resource-proxmoxve", os.X_OK)


@pytest.mark.parametrize("changed", ["go.mod", "go.sum", "main.go", "absent/pulumi-yaml/go.mod"])
def test_a_changed_source_is_compiled_again_and_only_its_own_program(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changed: str
) -> None:
    modules = tmp_path / "modules"
    shutil.copytree(compiling.MODULES, modules)
    monkeypatch.setattr(compiling, "MODULES", modules)
    ensure(machine.home, out=io.StringIO())

    with (modules / "proxmoxve" / changed).open("a") as source:
        source.write("\n// changed\n")
    ensure(machine.home, out=io.StringIO())

    compiled = [call.split()[-1] for call in machine.calls("build")]
    assert sorted(compiled) == sorted([PULUMI.package, PROXMOXVE.package, PROXMOXVE.package])


def test_another_go_compiles_again(machine: Machine) -> None:
    ensure(machine.home, out=io.StringIO())
    (machine.go / "version").write_text("go1.26.9")
    ensure(machine.home, out=io.StringIO())

    assert len(machine.calls("build")) == 2 * len(TITLES)


@pytest.mark.parametrize("version", ["go1.25.5", "go1.9", "devel"])
def test_a_go_that_is_too_old_is_not_used(machine: Machine, version: str) -> None:
    (machine.go / "version").write_text(version)

    assert installed_go() is None


@pytest.mark.parametrize("version", ["go1.26", "go1.27.3", "devel go1.28-abcdef", "go2.0.1"])
def test_a_newer_go_is_used(machine: Machine, version: str) -> None:
    (machine.go / "version").write_text(version)

    assert installed_go() is not None


def test_settings_of_the_machine_for_its_own_builds_do_not_change_ours(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GOFLAGS": "-race",
        "GOEXPERIMENT": "synctest",
        "CGO_ENABLED": "1",
        "GOOS": "plan9",
        "GOWORK": "/elsewhere/go.work",
        "GOTOOLCHAIN": "go1.99",
        "GOPROXY": "https://proxy.example",
    }.items():
        monkeypatch.setenv(name, value)

    ensure(machine.home, out=io.StringIO())

    lines = (machine.go / "environment").read_text().splitlines()
    seen = dict(line.split("=", 1) for line in lines if "=" in line)
    assert seen["GOFLAGS"] == "-mod=readonly -buildvcs=false"
    assert "GOEXPERIMENT" not in seen
    assert (seen["CGO_ENABLED"], seen["GOOS"], seen["GOWORK"]) == ("0", "linux", "off")
    assert seen["GOTOOLCHAIN"] == "local"
    assert seen["GOPROXY"] == "https://proxy.example"


def test_a_failing_build_says_what_the_compiler_said_and_leaves_nothing(machine: Machine) -> None:
    (machine.go / "fails").write_text("main.go:7:2: undefined: nothing\n")

    with pytest.raises(LabError, match=r"main\.go:7:2: undefined: nothing") as failure:
        ensure(machine.home, out=io.StringIO())

    assert "try again" in str(failure.value)
    assert "example.org/a" not in str(failure.value)
    assert all(shelf == [] for shelf in shelves(machine.cache).values())


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("a: signal: killed", "want of memory"),
        ("write /x: no space left on device", "The disk is full"),
        ("go: x: dial tcp 10.0.0.1:443: connect: connection refused", "GOPROXY"),
    ],
)
def test_a_failure_with_a_known_cause_names_the_remedy(
    machine: Machine, said: str, remedy: str
) -> None:
    (machine.go / "fails").write_text(f"{said}\n")

    with pytest.raises(LabError, match=remedy):
        ensure(machine.home, out=io.StringIO())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing_and_nobody(
    machine: Machine, until: Until, number: signal.Signals
) -> None:
    (machine.go / "hold").touch()
    build = machine.start()
    until(lambda: compilers(machine) != [])

    build.send_signal(number)
    _, said = build.communicate(timeout=60)

    assert build.returncode == 128 + number
    assert "Traceback" not in said
    assert not any(alive(process) for process in compilers(machine))
    assert all(shelf == [] for shelf in shelves(machine.cache).values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_lab_that_is_interrupted_while_it_builds_ends_at_once_and_with_all_compilers(
    machine: Machine, until: Until, number: signal.Signals
) -> None:
    (machine.go / "hold").touch()
    setup = (
        "import sys; from lab.cli import app, lifecycle; sys.argv = ['lab', 'setup']; "
        "lifecycle._missing = lambda **_: ['no containers here']; app.main()"
    )
    build = subprocess.Popen(
        [sys.executable, "-c", setup], cwd=REPO, stderr=subprocess.PIPE, text=True, process_group=0
    )
    try:
        until(lambda: len(compilers(machine)) == len(TITLES))
        build.send_signal(number)
        _, said = build.communicate(timeout=20)
    finally:
        build.kill()
        (machine.go / "hold").unlink()

    assert build.returncode == 128 + number
    assert "Traceback" not in said
    assert not any(alive(process) for process in compilers(machine))
    assert all(shelf == [] for shelf in shelves(machine.cache).values())


def test_what_a_killed_build_left_is_never_taken_for_a_program(
    machine: Machine, until: Until
) -> None:
    (machine.go / "hold").touch()
    build = machine.start()
    until(lambda: len(compilers(machine)) == len(TITLES))
    os.killpg(build.pid, signal.SIGKILL)
    build.communicate(timeout=60)
    for process in compilers(machine):
        os.killpg(process, signal.SIGKILL)
    assert any(shelf != [] for shelf in shelves(machine.cache).values())

    (machine.go / "hold").unlink()
    toolchain = ensure(machine.home, out=io.StringIO())

    assert subprocess.check_output([toolchain.pulumi], text=True) == "built\n"
    found = shelves(machine.cache)
    assert set(found) == TITLES
    assert all(len(shelf) == 1 and not shelf[0].startswith(".") for shelf in found.values())


def test_two_at_once_compile_once_and_the_second_says_whom_it_waits_for(
    machine: Machine, until: Until, tmp_path: Path
) -> None:
    (machine.go / "hold").touch()
    first = machine.start()
    until(lambda: len(compilers(machine)) == len(TITLES))
    second = machine.start(tmp_path / "another-home")
    assert second.stderr is not None
    said = second.stderr.readline()
    (machine.go / "hold").unlink()

    for process in (first, second):
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert "built" in out
    assert f"waiting for process {first.pid}, which builds it" in said
    assert len(machine.calls("build")) == len(TITLES)
