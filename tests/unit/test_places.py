"""A place that cannot be used is one clear error, before anything is made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.cli.places import require_places
from lab.errors import LabError
from lab.paths import LabPaths, cache_dir
from tests.conftest import REPO


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run with nothing but this environment."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=REPO,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_place_below_a_file_is_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for variable, other in (("BERTH_CACHE", "BERTH_STATE"), ("BERTH_STATE", "BERTH_CACHE")):
        monkeypatch.setenv(variable, str(tmp_path / "file" / "below"))
        monkeypatch.setenv(other, str(tmp_path / "new"))
        with pytest.raises(LabError, match=f"cannot be written .* in {variable}$"):
            require_places(LabPaths.of("unit"))
    assert not (tmp_path / "new").exists()


def test_a_place_too_deep_for_a_socket_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTH_CACHE", str(tmp_path))
    monkeypatch.setenv("BERTH_STATE", str(tmp_path / ("x" * 90)))
    with pytest.raises(LabError, match="is too long for a socket"):
        require_places(LabPaths.of("unit"))


def test_a_relative_place_is_the_same_one_for_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTH_CACHE", "cache")
    monkeypatch.setenv("BERTH_STATE", "state")
    monkeypatch.chdir(tmp_path)
    assert cache_dir() == tmp_path / "cache"
    assert LabPaths.of("unit").environment == {
        "BERTH_CACHE": str(tmp_path / "cache"),
        "BERTH_STATE": str(tmp_path / "state"),
    }


def test_a_cache_that_cannot_be_written_stops_every_program_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below = str(tmp_path / "file" / "below")
    for words in (["bin/environment.py"], ["-m", "lab.toolchain", "--home", below]):
        done = python(*words, BERTH_CACHE=below, HOME=str(tmp_path))
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert f"{tmp_path}/file" in done.stderr
        assert "Not a directory" in done.stderr
