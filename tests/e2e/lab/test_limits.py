"""A full disk is a full disk, and a process over its container's memory does not live."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.labs import StackFile, TestLab, container

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

Make = Callable[[Mapping[str, Any]], StackFile]
GIB = 1024**3
WRITE = "head -c 64M /dev/zero > /more && sync /more"


def size_of_root(lab: TestLab, host: str) -> int:
    return int(lab.ssh(host, "df -B1 --output=size / | tail -1").text)


def test_a_full_disk_is_full_at_its_declared_size_and_growth_gives_room(
    lab: TestLab, make_stack: Make
) -> None:
    stack = make_stack({"small": container(811, 211, disk_gb=2)})
    lab.pulumi(stack, "up", "--yes", "--skip-preview")
    before = size_of_root(lab, "small")
    assert 0.9 * 2 * GIB < before <= 2 * GIB
    # Nearly all is only set aside, which is quick; the rest is written.
    fill = "fallocate -l $(($(df -B1 --output=avail / | tail -1) - 32*1024*1024)) /full"
    lab.ssh("small", fill)
    assert "No space left on device" in lab.ssh("small", WRITE, check=False).text
    assert lab.ssh("small", "systemctl is-active ssh").text.strip() == "active"

    stack.container("small")["disk_gb"] = 3
    stack.write()
    assert "disk 2 -> 3" in lab.pulumi(stack, "up", "--yes", "--skip-preview").text
    assert size_of_root(lab, "small") - before > 0.9 * GIB
    assert "No space left" not in lab.ssh("small", f"test -s /full && {WRITE}").text


@pytest.mark.usefixtures("trio")
def test_a_process_over_the_memory_limit_is_killed_and_the_others_live(lab: TestLab) -> None:
    controller = lab.status()["memory_controller"]
    said = lab.cli("status").text
    assert controller, f"this machine cannot show it, and says so: {said}"
    assert f"memory is limited by {controller}" in said
    eater = "python3 -c 'x = bytearray(400 * 1024 * 1024); print(\"had 400 MiB of 192\")'"
    killed = lab.ssh("early", eater, check=False)
    assert killed.code != 0
    assert "had 400 MiB" not in killed.text
    assert lab.ssh("early", "systemctl is-active ssh").text.strip() == "active"
    assert lab.ssh("late", eater).text.strip() == "had 400 MiB of 192"
