"""Containers come up as declared, end when told to, and outlive whoever started them."""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lab.guests import GuestError
from lab.host import images
from lab.host.commands import run
from lab.host.lxc import LxcGuests
from tests.e2e.host.real import Host, memory_limit, until

pytestmark = pytest.mark.root


async def test_a_container_has_the_name_address_and_resolver_that_were_declared(host: Host) -> None:
    spec = await host.running(searchdomain="lan.example")
    said = host.answer(spec, "hostname; hostname -f; cat /etc/resolv.conf; ip -o -4 addr show eth0")
    assert said.splitlines()[:4] == [
        "guest111",
        "guest111.lan.example",
        "search lan.example",
        "nameserver 192.168.1.1",
    ]
    assert "192.168.1.111/24" in said
    shown = {link.name: link.addresses for link in await host.guests.interfaces(spec.key)}
    assert "192.168.1.111/24" in map(str, shown["eth0"])
    assert "127.0.0.1/8" in map(str, shown["lo"])


async def test_systemd_comes_up_without_a_failed_unit(host: Host) -> None:
    spec = await host.running()
    assert (
        host.answer(spec, "systemctl is-system-running --wait; systemctl --failed -q") == "running"
    )


async def test_roots_keys_are_closed_to_others_and_ids_are_shifted(host: Host) -> None:
    spec = await host.running()
    said = host.answer(spec, "stat -c '%a %u' /root/.ssh /root/.ssh/authorized_keys")
    assert said.splitlines() == ["700 0", "600 0"]
    pid = host.guests.init_pid(spec.key)
    id_map = Path(f"/proc/{pid}/uid_map").read_text().split()
    assert id_map == ["0", "100000", "65536"]


async def test_the_kernel_has_room_for_a_hundred_containers_like_this_one(host: Host) -> None:
    spec = await host.running()
    count = "find /proc/[0-9]*/fd -lname anon_inode:inotify 2>/dev/null | wc -l"
    used = int(host.answer(spec, count))
    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    assert used > 0
    assert limit > 100 * used


async def test_two_containers_never_share_a_host_key_and_both_are_known(host: Host) -> None:
    one, two = await host.running(111), await host.running(112)
    keys = [host.answer(spec, "cat /etc/ssh/ssh_host_*_key.pub") for spec in (one, two)]
    assert len({line for text in keys for line in text.splitlines()}) == 4
    # `answer` checks host keys strictly, by address; by name they are known, too.
    known = host.paths.known_hosts.read_text()
    assert "guest111,192.168.1.111,[guest111]:22,[192.168.1.111]:22 ssh-ed25519" in known
    await host.guests.stop(two.key, host.log.append)
    await host.guests.destroy(two, host.log.append)
    assert "guest112" not in host.paths.known_hosts.read_text()


async def test_a_reboot_from_inside_brings_it_back_as_it_is_configured_now(host: Host) -> None:
    spec = await host.running()
    before = host.guests.init_pid(spec.key)
    smaller = host.spec(memory_mb=300)
    await host.guests.apply(spec, smaller)
    host.ssh("192.168.1.111", "systemctl reboot")
    await until(lambda: host.guests.init_pid(spec.key) not in {None, before}, "a new init")
    assert host.answer(spec, "hostname") == "guest111"
    assert memory_limit(host, spec) == 300 * 1024**2


async def test_a_reboot_from_inside_never_looks_like_an_end(host: Host) -> None:
    spec = await host.running()
    before = host.guests.init_pid(spec.key)
    host.ssh("192.168.1.111", "systemctl reboot")
    seen: list[bool] = []

    def is_back() -> bool:
        seen.append(host.guests.is_running(spec.key))
        return host.guests.init_pid(spec.key) not in {None, before}

    await until(is_back, "a new init")
    assert all(seen)


async def test_a_poweroff_from_inside_is_an_end_and_frees_its_disk(host: Host) -> None:
    spec = await host.running()
    host.ssh("192.168.1.111", "systemctl poweroff")
    await until(lambda: not host.guests.is_running(spec.key), "stopped")
    await images.wait_detached(spec.rootfs.image)
    await host.guests.start(spec, host.log.append)
    assert host.answer(spec, "hostname") == "guest111"


async def test_shutdown_lets_services_end_and_says_when_they_do_not(host: Host) -> None:
    spec = await host.running()
    host.answer(
        spec,
        "printf '[Service]\nExecStart=/bin/sleep inf\nExecStop=/bin/sh -c \"date > /root/ended\"\n'"
        " > /etc/systemd/system/probe.service; systemctl daemon-reload; systemctl start probe",
    )
    assert await host.guests.shutdown(spec.key, 20, host.log.append)
    assert not host.guests.is_running(spec.key)
    await host.guests.start(spec, host.log.append)
    assert host.answer(spec, "test -s /root/ended && echo yes") == "yes"
    host.answer(
        spec,
        "printf '[Service]\nExecStart=/bin/sleep inf\nExecStop=/bin/sleep 60\n'"
        " > /etc/systemd/system/probe.service; systemctl daemon-reload; systemctl start probe",
    )
    assert not await host.guests.shutdown(spec.key, 1, host.log.append)
    assert host.guests.is_running(spec.key)


async def test_a_shutdown_right_after_the_start_is_not_lost(host: Host) -> None:
    spec = await host.create(host.spec())
    await host.guests.start(spec, host.log.append)
    assert await host.guests.shutdown(spec.key, 20, host.log.append)


async def test_containers_outlive_a_killed_process_and_are_found_again(host: Host) -> None:
    spec = await host.create(host.spec())
    program = (
        "import asyncio, os, pickle, signal, sys\n"
        "from lab.host.lxc import LxcGuests\n"
        "paths, spec = pickle.load(sys.stdin.buffer)\n"
        "guests = LxcGuests(paths, lambda spec: ('192.168.1.1',))\n"
        "asyncio.run(guests.start(spec, print))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program],
        input=pickle.dumps((host.paths, spec)),
        check=False,
    )
    assert done.returncode == -9
    found = LxcGuests(host.paths, lambda _: ())
    assert found.is_running(spec.key)
    assert host.answer(spec, "hostname") == "guest111"
    assert (await found.usage(spec)).pid == found.init_pid(spec.key)


async def test_a_killed_monitor_takes_its_container_along(host: Host) -> None:
    spec = await host.running()
    monitor = host.guests.monitor_pid(spec.key)
    assert monitor
    os.kill(monitor, signal.SIGKILL)
    await until(lambda: not host.guests.is_running(spec.key), "stopped")
    await host.guests.start(spec, host.log.append)
    assert host.answer(spec, "hostname") == "guest111"


async def test_a_template_that_is_no_archive_leaves_nothing(host: Host, tmp_path: Path) -> None:
    fake = tmp_path / "debian.tar.zst"
    fake.write_text("this is no archive\n" * 100)
    spec = host.spec()
    with pytest.raises(GuestError, match="is no tar archive"):
        await host.guests.create(spec, fake, host.access, host.log.append)
    assert not spec.rootfs.image.exists()
    assert not host.guests.directory(spec.key).exists()


async def test_a_disk_too_small_for_its_template_is_refused_and_leaves_nothing(host: Host) -> None:
    spec = host.spec(rootfs=host.volume("small", 64 * 1024**2))
    with pytest.raises(GuestError, match=r"the template needs \d+ MiB, the disk has only 64"):
        await host.guests.create(spec, host.template, host.access, host.log.append)
    assert not spec.rootfs.image.exists()
    assert not host.guests.directory(spec.key).exists()


async def test_a_start_that_fails_says_why_and_leaves_nothing_running(host: Host) -> None:
    spec = await host.create(host.spec())
    wrong = replace(spec, interfaces=(replace(spec.interfaces[0], bridge="vmbr7"),))
    with pytest.raises(GuestError, match="vmbr7"):
        await host.guests.start(wrong, host.log.append)
    assert not host.guests.is_running(spec.key)
    await host.guests.start(spec, host.log.append)
    assert host.answer(spec, "hostname") == "guest111"


@pytest.mark.parametrize("compression", ["--gzip", "--xz", "--bzip2", "--format=gnu"])
async def test_foreign_archives_of_every_kind_unpack(
    host: Host, tmp_path: Path, compression: str
) -> None:
    root = tmp_path / "rootfs"
    for directory in ("etc", "sbin", "root"):
        (root / directory).mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=tiny\n")
    (root / "etc/shadow").write_text("root:*:19000:0:99999:7:::\n")
    archive = tmp_path / "tiny.tar"
    await run(["tar", "-cf", str(archive), compression, "-C", str(root), "."])
    spec = host.spec()
    host.made.append(spec)
    await host.guests.create(spec, archive, host.access, host.log.append)
    assert spec.rootfs.image.stat().st_size == spec.rootfs.size_bytes
    assert images.used_bytes(spec.rootfs.image) < 50 * 1024**2


async def test_an_archive_without_a_system_is_refused_as_proxmox_does(
    host: Host, tmp_path: Path
) -> None:
    (tmp_path / "rootfs").mkdir()
    archive = tmp_path / "empty.tar.gz"
    await run(["tar", "-czf", str(archive), "-C", str(tmp_path / "rootfs"), "."])
    spec = host.spec()
    with pytest.raises(GuestError, match=r"\Aunable to detect OS distribution\Z"):
        await host.guests.create(spec, archive, host.access, host.log.append)
    assert not spec.rootfs.image.exists()
