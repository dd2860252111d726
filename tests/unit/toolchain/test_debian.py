"""Debian packages: installed as root, named with the command otherwise, untouched where present."""

import io
import os
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.toolchain.debian import ensure_debian_packages
from tests.unit.toolchain.machine import Machine

WANTED = ("iproute2", "lxc", "uidmap")


@pytest.fixture
def apt(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian where only iproute2 is installed and apt installs what it is asked for."""
    state = machine.bin.parent / "debian"
    state.mkdir()
    (state / "installed").write_text("iproute2\n")
    (state / "lists").touch()
    monkeypatch.setenv("FAKE_DEBIAN", str(state))
    monkeypatch.setenv("PATH", f"{machine.bin}{os.pathsep}{os.environ['PATH']}")
    machine.put_on_path(
        "dpkg-query",
        """\
        shift 2
        for name; do
            if grep -qx "$name" "$FAKE_DEBIAN/installed"; then echo "installed $name"
            elif grep -qx "$name" "$FAKE_DEBIAN/removed"; then echo "config-files $name"
            else echo "no packages found matching $name" >&2; missing=1; fi
        done
        exit ${missing:-0}
        """,
    )
    (state / "removed").write_text("lxc\n")
    machine.put_on_path(
        "apt-cache",
        """\
        shift
        for name; do
            printf '%s:\\n  Installed: (none)\\n' "$name"
            if [ -e "$FAKE_DEBIAN/lists" ]; then echo '  Candidate: 1.0'
            else echo '  Candidate: (none)'; fi
        done
        """,
    )
    machine.put_on_path(
        "apt-get",
        """\
        echo "$*" >> "$FAKE_DEBIAN/calls"
        if [ "$1" = update ]; then
            touch "$FAKE_DEBIAN/lists"; rm -f "$FAKE_DEBIAN/stale"; exit 0
        fi
        if [ -e "$FAKE_DEBIAN/stale" ]; then echo "E: 404 Not Found"; exit 100; fi
        if [ "$DEBIAN_FRONTEND" != noninteractive ]; then echo "asks"; exit 1; fi
        for word; do echo "$word" >> "$FAKE_DEBIAN/installed"; done
        """,
    )
    return state


def calls(state: Path) -> list[str]:
    log = state / "calls"
    return log.read_text().splitlines() if log.exists() else []


def as_user(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: number)


def test_root_gets_what_is_missing_installed_and_nothing_else(
    apt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch, 0)

    assert ensure_debian_packages(WANTED, out=io.StringIO()) == ["lxc", "uidmap"]

    (install,) = calls(apt)
    assert install.endswith(" lxc uidmap")
    assert "iproute2" not in install
    assert "--no-upgrade --no-remove" in install


def test_a_second_time_apt_is_not_asked_at_all(apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 0)
    ensure_debian_packages(WANTED, out=io.StringIO())
    before = calls(apt)

    assert ensure_debian_packages(WANTED, out=io.StringIO()) == []
    assert calls(apt) == before


def test_an_ordinary_user_is_told_the_command(apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 1000)

    with pytest.raises(LabError) as error:
        ensure_debian_packages(WANTED, out=io.StringIO())

    assert str(error.value) == (
        "containers: Debian packages are missing: lxc, uidmap; "
        "run: sudo apt-get install --yes --no-install-recommends lxc uidmap"
    )
    assert calls(apt) == []


def test_package_lists_are_read_only_where_there_are_none(
    apt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch, 0)
    (apt / "lists").unlink()

    ensure_debian_packages(WANTED, out=io.StringIO())

    assert [call.split()[0] for call in calls(apt)] == ["update", "install"]


def test_package_lists_that_are_too_old_are_read_anew(
    apt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch, 0)
    (apt / "stale").touch()

    ensure_debian_packages(WANTED, out=io.StringIO())

    assert [call.split()[0] for call in calls(apt)] == ["install", "update", "install"]


def test_what_apt_says_is_shown_when_it_fails(
    apt: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch, 0)
    machine.put_on_path("apt-get", "echo 'E: the mirror is away'; exit 100\n")

    with pytest.raises(LabError, match="E: the mirror is away"):
        ensure_debian_packages(WANTED, out=io.StringIO())


def test_a_machine_that_is_no_debian_is_told_so_and_not_to_use_apt(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(machine.bin))

    with pytest.raises(LabError, match="it is no Debian") as error:
        ensure_debian_packages(WANTED, out=io.StringIO())

    assert "sudo" not in str(error.value)
