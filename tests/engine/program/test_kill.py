"""The engine is killed in the middle: `pulumi cancel`, and a second run that converges."""

import json
import signal
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import psutil
import pytest

from tests.labs import StackFile, TestLab, container, wait_for

Make = Callable[[Mapping[str, Any]], StackFile]
UP = ("up", "--yes", "--skip-preview")


def guest(lab: TestLab, vm_id: int) -> dict[str, Any]:
    """What the lab remembers of a guest, read from its file: the API would be too slow here."""
    state = json.loads(lab.paths.proxmox_state.read_text(encoding="utf-8"))
    found: dict[str, Any] = state.get("guests", {}).get(str(vm_id), {})
    return found


def being_made(lab: TestLab) -> bool:
    return bool(guest(lab, 741).get("config", {}).get("lock") == "create")


def made(lab: TestLab) -> bool:
    config = guest(lab, 741).get("config", {})
    return bool(config) and "lock" not in config


@pytest.mark.parametrize("point", [being_made, made], ids=["in the task", "after the task"])
def test_a_creation_that_was_killed_is_taken_up_again(
    lab: TestLab, make_stack: Make, point: Callable[[TestLab], bool]
) -> None:
    stack = make_stack({"one": container(741, 98)})
    command = lab.command("run", "--stack", stack.path, "--", "pulumi", *UP, "--non-interactive")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        wait_for(lambda: point(lab), "the container to be made", limit_s=60)
        assert psutil.Process(run.pid).name() == "pulumi", "bin/lab run becomes what it runs"
        run.kill()
        run.communicate(timeout=60)
    assert run.returncode == -signal.SIGKILL
    lab.pulumi(stack, "cancel", "--yes")
    said = lab.pulumi(stack, *UP).text
    config = lab.api("GET", "/nodes/pve/lxc/741/config")
    assert config["tags"] == "berth+berth+test+one+t3stt3st"
    assert lab.api("GET", "/nodes/pve/lxc/741/status/current")["status"] == "running"
    assert "1 errored" not in said
    lab.pulumi(stack, "preview", "--expect-no-changes")
