"""`lab down` leaves nothing, whatever happened before, and touches no other lab."""

import asyncio
import os
from pathlib import Path

import pytest

from lab.host import groups
from lab.host.enter import command_inside
from lab.host.teardown import leftovers, remove_lab
from lab.paths import LabPaths
from lab.world.models import World
from tests.e2e.host.real import TUN, Host, lab_called, until

pytestmark = pytest.mark.root


async def test_a_running_lab_goes_whole_and_the_other_one_stays(
    host: Host, world: World, templates: dict[str, Path], tmp_path: Path
) -> None:
    neighbour = await host.running()
    with lab_called(f"u{os.getpid()}", tmp_path, world) as paths:
        doomed = Host(paths, world, templates["trixie"])
        spec = await doomed.running(111, devices=(TUN,), mounts=(doomed.volume("d", 2**26, "/d"),))
        visitor = await asyncio.create_subprocess_exec(*command_inside(paths, ["sleep", "600"]))
        process = await asyncio.create_subprocess_exec("sleep", "600")
        root = groups.unified_root()
        assert root
        groups.join(root / paths.namespace / "process", process.pid)
        await until(lambda: f"process {visitor.pid}" in str(leftovers(paths)), "a visitor")
        assert len(leftovers(paths)) > 5
        init = doomed.guests.init_pid(spec.key)

        remove_lab(paths)

        assert leftovers(paths) == []
        assert await visitor.wait() != 0
        assert await process.wait() == -9
        assert not _alive(init)
        assert not paths.root.exists()
        remove_lab(paths)
    assert host.answer(neighbour, "hostname") == "guest111"


def _alive(pid: int | None) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


async def test_labs_whose_names_begin_alike_do_not_touch_each_other(
    world: World, tmp_path: Path
) -> None:
    short, long = f"v{os.getpid()}", f"v{os.getpid()}-b"
    with lab_called(short, tmp_path, world) as one, lab_called(long, tmp_path, world) as two:
        before = leftovers(two)
        remove_lab(one)
        assert leftovers(two) == before
        assert before


def test_after_a_reboot_of_the_machine_only_files_are_left_and_go(tmp_path: Path) -> None:
    paths = LabPaths(name="w1", root=tmp_path / "w1")
    (paths.guests / "ct-111").mkdir(parents=True)
    assert leftovers(paths) == [f"files in {paths.root}"]
    remove_lab(paths)
    assert leftovers(paths) == []
