"""Memory, processors and disks are what was declared, and bite."""

import os
import re
import signal
from dataclasses import replace

import pytest

from lab.guests import GuestError
from lab.host import images
from lab.host.commands import run
from lab.host.controllers import find_controllers
from tests.e2e.host.real import GIB, Host, memory_limit, until

pytestmark = pytest.mark.root

_EAT = "python3 -c 'x = bytearray({mib} * 1024 * 1024)'; echo $?"
_KILLED = str(128 + signal.SIGKILL)


async def test_a_container_over_its_memory_is_killed_and_one_within_is_not(host: Host) -> None:
    assert find_controllers().memory, "this machine has no memory controller: nothing limits memory"
    spec = await host.running(memory_mb=300)
    assert memory_limit(host, spec) == 300 * 1024**2
    assert host.answer(spec, _EAT.format(mib=100)) == "0"
    assert host.answer(spec, _EAT.format(mib=400)) == _KILLED
    assert host.guests.is_running(spec.key)


async def test_more_memory_helps_at_once_and_less_is_in_force_at_once(host: Host) -> None:
    spec = await host.running(memory_mb=300)
    more = replace(spec, memory_mb=700)
    await host.guests.apply(spec, more)
    assert host.answer(spec, _EAT.format(mib=400)) == "0"
    await host.guests.apply(more, spec)
    assert host.answer(spec, _EAT.format(mib=400)) == _KILLED
    used = (await host.guests.usage(spec)).memory_bytes
    assert 0 < used <= 300 * 1024**2


async def test_cores_are_what_the_container_sees_and_change_while_it_runs(host: Host) -> None:
    spec = await host.running(cores=1)
    assert host.answer(spec, "nproc") == "1"
    both = replace(spec, cores=2)
    await host.guests.apply(spec, both)
    assert host.answer(spec, "nproc") == str(min(2, len(os.sched_getaffinity(0))))


async def test_a_full_disk_is_full_and_this_machine_gives_only_what_is_used(host: Host) -> None:
    spec = await host.running(rootfs=host.volume("vm-111-disk-0", GIB))
    assert spec.rootfs.image.stat().st_size == GIB
    before = images.used_bytes(spec.rootfs.image)
    assert before < GIB // 2
    full = host.ssh("192.168.1.111", "head -c 2G /dev/zero > /var/tmp/big; df --output=avail -B1 /")
    assert "No space left on device" in full.stderr
    assert int(full.stdout.split()[-1]) < 1024**2
    host.answer(spec, "rm /var/tmp/big; sync; echo done")
    await host.guests.stop(spec.key, host.log.append)
    # What was deleted inside is given back to this machine.
    assert images.used_bytes(spec.rootfs.image) < before + 200 * 1024**2


async def test_two_copies_of_a_template_are_two_file_systems(host: Host) -> None:
    specs = [await host.create(host.spec(111)), await host.create(host.spec(112))]
    shown = [await run(["blkid", "--probe", str(spec.rootfs.image)]) for spec in specs]
    one, two = (re.search(r' UUID="([^"]+)"', text) for text in shown)
    assert one and two and one[1] != two[1]


async def test_a_stopped_containers_disk_grows_and_keeps_its_files(host: Host) -> None:
    spec = await host.running()
    host.answer(spec, "echo kept > /root/file; sync")
    await host.guests.stop(spec.key, host.log.append)
    await host.guests.resize(spec, spec.rootfs, 3 * GIB, host.log.append)
    assert spec.rootfs.image.stat().st_size == 3 * GIB
    await host.guests.start(spec, host.log.append)
    said = host.answer(spec, "cat /root/file; df --output=size -BM / | tail -1").split()
    assert said[0] == "kept"
    assert int(said[1].rstrip("M")) > 2800


async def test_a_running_containers_disk_grows_and_a_restart_for_it_is_said(host: Host) -> None:
    spec = await host.running()
    before = host.guests.init_pid(spec.key)
    await host.guests.resize(spec, spec.rootfs, 3 * GIB, host.log.append)
    size = host.answer(spec, "df --output=size -BM / | tail -1")
    assert int(size.rstrip("M")) > 2800
    restarted = host.guests.init_pid(spec.key) != before
    assert restarted == any("the container is restarted" in line for line in host.log)
    assert restarted != images.may_grow_mounted()
    with pytest.raises(GuestError, match="cannot have"):
        await host.guests.resize(spec, spec.rootfs, 1 << 62, host.log.append)
    assert host.guests.is_running(spec.key), "a disk that could not grow has stopped its container"


async def test_a_mount_point_is_a_disk_of_its_own_that_survives_a_restart(host: Host) -> None:
    data = host.volume("vm-111-disk-1", GIB // 4, "/srv/some data")
    spec = await host.running(mounts=(data,))
    host.answer(spec, "echo kept > '/srv/some data/file'")
    size = host.answer(spec, "df --output=size -BM '/srv/some data' | tail -1")
    assert 180 < int(size.rstrip("M")) < 256
    await host.guests.stop(spec.key, host.log.append)
    await host.guests.start(spec, host.log.append)
    assert host.answer(spec, "cat '/srv/some data/file'") == "kept"
    assert host.answer(spec, "stat -c %u '/srv/some data'") == "0"


async def test_a_new_mount_point_appears_in_a_running_container_and_after_its_reboot(
    host: Host,
) -> None:
    spec = await host.running()
    data = host.volume("vm-111-disk-1", GIB // 4, "/data/deep")
    more = replace(spec, mounts=(data,))
    host.made[-1] = more
    await host.guests.add_volume(spec, data, host.log.append)
    await host.guests.apply(spec, more)
    host.answer(spec, "mountpoint /data/deep && echo kept > /data/deep/file && sync")
    before = host.guests.init_pid(spec.key)
    host.ssh("192.168.1.111", "systemctl reboot")
    await until(lambda: host.guests.init_pid(spec.key) not in {None, before}, "a new init")
    assert host.answer(spec, "cat /data/deep/file") == "kept"


async def test_a_read_only_mount_point_cannot_be_written(host: Host) -> None:
    data = replace(host.volume("vm-111-disk-1", GIB // 4, "/data"), read_only=True)
    spec = await host.running(mounts=(data,))
    assert "Read-only file system" in host.ssh("192.168.1.111", "touch /data/file").stderr
    assert host.answer(spec, "mountpoint -q /data && echo yes") == "yes"
