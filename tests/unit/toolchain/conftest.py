"""A machine of its own for each test: PATH, caches and home are empty but for stand-ins."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.toolchain.machine import FAKE_GO, Machine, Until


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(
        bin=tmp_path / "bin",
        go=tmp_path / "go",
        cache=tmp_path / "cache",
        home=tmp_path / "home",
        pulumi_home=tmp_path / "pulumi-home",
    )
    made.bin.mkdir()
    executor = made.go / "module" / "python" / "cmd" / "pulumi-language-python-exec"
    executor.parent.mkdir(parents=True)
    executor.write_text("#!/usr/bin/env python\n")
    (made.go / "version").write_text("go1.26.8")
    (made.bin / "go").write_text(FAKE_GO)
    (made.bin / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("FAKE_GO", str(made.go))
    monkeypatch.setenv("BERTH_CACHE", str(made.cache))
    monkeypatch.setenv("PULUMI_HOME", str(made.pulumi_home))
    return made


@pytest.fixture
def until() -> Until:
    def wait(condition: Callable[[], bool], /) -> None:
        limit = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < limit, "the condition did not come true within 60 s"
            time.sleep(0.02)

    return wait
