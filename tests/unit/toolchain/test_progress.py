"""Whoever waits sees for what, and for how long."""

import io
import re

import pytest

from lab.toolchain import progress
from tests.unit.toolchain.machine import Until


def test_each_step_is_a_line_with_the_time_so_far() -> None:
    out = io.StringIO()
    with progress.board(out) as shown, shown.task("pulumi") as task:
        task.says("compiling")

    assert re.fullmatch(r"pulumi: compiling \(\d+ s\)\n", out.getvalue())


def test_a_long_step_is_told_again_with_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    monkeypatch.setattr(progress, "_REMIND_SECONDS", 0.02)
    out = io.StringIO()
    with progress.board(out) as shown, shown.task("pulumi") as task:
        task.says("compiling")
        task.counts(7, 9)
        until(lambda: "pulumi: compiling, 7 of 9 (" in out.getvalue())


def test_a_terminal_shows_the_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = io.StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    with progress.board(out) as shown, shown.task("pulumi") as task:
        task.says("compiling")
        task.counts(7, 9)

    assert "pulumi" in out.getvalue()
    assert re.search(r"\d:\d\d:\d\d", out.getvalue())
