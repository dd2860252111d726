"""`bin/python` starts what its environment was made for, and asks for another when that is gone."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import REPO

# Stands in for the real one, which installs packages: says where an environment is.
ENVIRONMENT = """
import pathlib
with pathlib.Path(ASKED).open("a") as asked:
    asked.write("asked\\n")
print(INTERPRETER)
"""


@dataclass(frozen=True)
class Launcher:
    """A checkout with `bin/python` alone, and an environment that is there."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "cache" / "venv" / "made"

    @property
    def version(self) -> str:
        return Path(sys.executable).resolve().name

    def start(self) -> str:
        done = subprocess.run(
            [self.root / "bin" / "python", "-c", "print('started')"],
            env={**os.environ, "BERTH_CACHE": str(self.root / "cache")},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def asked(self) -> int:
        """How often the environment was asked for."""
        return len((self.root / "asked").read_text(encoding="utf-8").splitlines())


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    made = Launcher(tmp_path)
    (tmp_path / "bin").mkdir()
    shutil.copy(REPO / "bin" / "python", tmp_path / "bin")
    (tmp_path / "requirements").mkdir()
    for name in ("uv.txt", "dev.txt"):
        (tmp_path / "requirements" / name).write_text("six==1.17.0\n", encoding="utf-8")
    (made.home / "bin").mkdir(parents=True)
    (made.home / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    (made.home / "lib" / made.version).mkdir(parents=True)
    (made.home / ".complete").touch()
    values = {"ASKED": tmp_path / "asked", "INTERPRETER": made.home / "bin" / "python"}
    text = "".join(f"{name} = {str(value)!r}\n" for name, value in values.items()) + ENVIRONMENT
    (tmp_path / "bin" / "environment.py").write_text(text, encoding="utf-8")
    return made


def test_a_second_start_asks_for_nothing(launcher: Launcher) -> None:
    assert [launcher.start(), launcher.start()] == ["started\n"] * 2
    assert launcher.asked() == 1


def test_other_requirements_are_never_run_by_the_old_environment(launcher: Launcher) -> None:
    launcher.start()
    (launcher.root / "requirements" / "dev.txt").write_text("six==1.16.0\n", encoding="utf-8")
    launcher.start()
    assert launcher.asked() == 2


def test_an_environment_that_is_half_made_is_not_started(launcher: Launcher) -> None:
    launcher.start()
    (launcher.home / ".complete").unlink()
    launcher.start()
    assert launcher.asked() == 2


def test_an_environment_whose_python_became_another_version_is_not_started(
    launcher: Launcher,
) -> None:
    launcher.start()
    (launcher.home / "lib" / launcher.version).rmdir()
    launcher.start()
    assert launcher.asked() == 2
