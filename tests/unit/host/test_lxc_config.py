"""The LXC configuration says what was declared, and lets nothing else in."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from lab.guests import Device, GuestSpec, NetworkInterface, Volume
from lab.host.boot_order import FoundDevice, boot_order
from lab.host.controllers import Controllers
from lab.host.lxc_config import lxc_config, outer_name
from lab.paths import LabPaths

NONE = Controllers(frozenset(), frozenset())
UNIFIED = Controllers(frozenset({"memory", "cpu", "cpuset"}), frozenset())
PATHS = LabPaths("unit", Path("/srv/a lab/unit"))
CARD = NetworkInterface(
    name="eth0",
    bridge="vmbr0",
    hwaddr="BC:24:11:00:00:01",
    ipv4=IPv4Interface("192.168.1.111/24"),
    gateway4=IPv4Address("192.168.1.1"),
)
SPEC = GuestSpec(
    key="ct-111",
    hostname="chat",
    rootfs=Volume("local-lvm:vm-111-disk-0", Path("/images/root.raw"), 2**30),
    mounts=(),
    interfaces=(CARD,),
    devices=(),
    cores=1,
    cpulimit=0.5,
    memory_mb=512,
    swap_mb=256,
    nameservers=(),
    searchdomain=None,
    unprivileged=True,
    nesting=True,
)


def lines(spec: GuestSpec, controllers: Controllers = NONE) -> list[str]:
    return lxc_config(spec, PATHS, controllers, ()).splitlines()


def test_an_unprivileged_container_never_has_this_machines_ids() -> None:
    assert "lxc.idmap = u 0 100000 65536" in lines(SPEC)
    assert "lxc.idmap = g 0 100000 65536" in lines(SPEC)
    privileged = lines(replace(SPEC, unprivileged=False))
    assert not [line for line in privileged if "idmap" in line]
    assert "lxc.cgroup2.devices.deny = a" in privileged


def test_its_address_is_set_before_anything_in_it_runs() -> None:
    config = lines(SPEC)
    assert "lxc.net.0.link = vmbr0" in config
    assert "lxc.net.0.ipv4.address = 192.168.1.111/24" in config
    assert "lxc.net.0.ipv4.gateway = 192.168.1.1" in config


def test_a_tagged_card_hangs_on_the_bridge_of_its_vlan() -> None:
    assert "lxc.net.0.link = vmbr0v20" in lines(replace(SPEC, interfaces=(replace(CARD, vlan=20),)))


def test_a_card_whose_link_is_down_gets_no_address() -> None:
    down = lines(replace(SPEC, interfaces=(replace(CARD, link_down=True),)))
    assert not [line for line in down if "ipv4" in line or "flags" in line]


def test_without_cards_it_has_a_network_of_its_own_all_the_same() -> None:
    assert "lxc.net.0.type = empty" in lines(replace(SPEC, interfaces=()))


def test_proc_is_uncovered_for_nesting_only() -> None:
    entry = "lxc.mount.entry = proc dev/.lxc/proc proc create=dir,optional 0 0"
    assert entry in lines(SPEC)
    assert entry not in lines(replace(SPEC, nesting=False))


def test_limits_go_to_cgroup2_where_it_has_them() -> None:
    config = lines(SPEC, UNIFIED)
    assert "lxc.cgroup2.memory.max = 536870912" in config
    assert "lxc.cgroup2.memory.swap.max = 268435456" in config
    assert "lxc.cgroup2.cpu.max = 50000 100000" in config
    assert not [line for line in lines(SPEC) if "memory" in line]


def test_on_cgroup_v1_swap_counts_on_top_of_memory() -> None:
    legacy = Controllers(frozenset(), frozenset({"memory"}))
    order = boot_order(SPEC, PATHS, legacy, (), ())
    assert order["legacy"] == {
        "memory": [
            ("memory.limit_in_bytes", "536870912"),
            ("memory.memsw.limit_in_bytes?", "805306368"),
        ]
    }


@pytest.mark.parametrize(
    ("path", "written"),
    [("/srv/data", "srv/data"), ("/srv/two words", "srv/two\\040words"), ("/a\\b", "a\\134b")],
)
def test_a_mount_path_cannot_add_words_to_its_line(path: str, written: str) -> None:
    spec = replace(SPEC, mounts=(Volume("v", Path("/i"), 1, path, read_only=True),))
    entry = f"lxc.mount.entry = /run/netns/mount0 {written} none bind,create=dir,ro 0 0"
    assert entry in lines(spec)


def test_a_device_of_a_privileged_container_is_allowed_by_number() -> None:
    found = (FoundDevice(Device("/dev/kvm"), 0o020000, (10 << 8) | 232),)
    spec = replace(SPEC, unprivileged=False, devices=(Device("/dev/kvm"),))
    config = lxc_config(spec, PATHS, NONE, found)
    assert "lxc.cgroup2.devices.allow = c 10:232 rwm" in config
    assert "lxc.mount.entry = /run/netns/devices/0 dev/kvm none bind,create=file 0 0" in config


def test_a_path_with_blanks_is_one_word_to_the_hooks() -> None:
    attach = next(line for line in lines(SPEC) if "start-host" in line)
    assert "'/srv/a lab/unit/guests/ct-111'" in attach
    # LXC takes away quotes that stand around all of a value.
    for line in lines(SPEC):
        assert not line.partition(" = ")[2].startswith(("'", '"')), line


@pytest.mark.parametrize("key", ["ct-111", "ct-999999999", "node-pve", f"host-{'x' * 63}"])
def test_the_outer_name_of_a_card_fits_the_kernel_and_is_its_own(key: str) -> None:
    names = {outer_name(replace(CARD, name=f"eth{n}"), key) for n in range(10)}
    assert len(names) == 10
    assert all(len(name) <= 15 for name in names)
