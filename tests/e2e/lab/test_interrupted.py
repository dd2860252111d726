"""Ctrl-C, kill -9 and impatience while a lab comes up or runs a command."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.lab import machine
from tests.e2e.lab.conftest import unused_lab
from tests.labs import TestLab, container, stack_file, wait_for

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


def begin(lab: TestLab, *words: str | Path) -> subprocess.Popen[str]:
    """The command as a terminal runs it: a process group of its own, and Ctrl-C is heard (shells
    let commands in the background ignore it)."""
    return subprocess.Popen(
        ["env", "--default-signal=INT", *lab.command(*words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_up_that_is_cut_off_is_finished_by_the_next_one(number: signal.Signals) -> None:
    lab = unused_lab()
    try:
        cut = begin(lab, "up")
        wait_for(lambda: lab.paths.pid_file.exists() and lab.paths.pid_file.read_text(), "a start")
        os.killpg(cut.pid, number)
        said = cut.communicate(timeout=20)[0]
        assert cut.returncode != 0
        assert "Traceback" not in said
        # A third one at the same time waits for the second, and finds nothing left to do.
        second, third = begin(lab, "up"), begin(lab, "up")
        texts = [process.communicate(timeout=60)[0] for process in (second, third)]
        assert [second.returncode, third.returncode] == [0, 0], texts
        assert all(text.endswith(("is up\n", "s)\n")) for text in texts)
        assert lab.ssh("pve", "hostname").text == "pve\n"
    finally:
        lab.cli("down")
    assert machine.traces(lab) == []


def test_ctrl_c_ends_a_pulumi_run_in_order_and_the_next_one_goes_on(
    lab: TestLab, tmp_path: Path
) -> None:
    stack = stack_file(tmp_path, {"cut": container(831, 231)}, identity="cutcutcu")
    run = begin(
        lab, "run", "--stack", stack.path, "--", "pulumi", "up", "--yes", "--skip-preview",
        "--color", "never",
    )  # fmt: skip
    try:
        wait_for((lab.paths.guests / "ct-831").exists, "the container to be begun")
        began = time.monotonic()
        os.killpg(run.pid, signal.SIGINT)
        said = run.communicate(timeout=60)[0]
        assert time.monotonic() - began < 30
        assert "Traceback" not in said
        lab.pulumi(stack, "up", "--yes", "--skip-preview")
        assert lab.ssh("cut", "hostname").text == "cut\n"
    finally:
        lab.pulumi(stack, "cancel", "--yes", check=False)
        lab.pulumi(stack, "destroy", "--run-program", "--yes", "--skip-preview")
