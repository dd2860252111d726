"""Changing a container: what works at once, what waits, what is refused."""

from typing import Any

import pytest

from tests.unit.proxmox.conftest import Api
from tests.unit.proxmox.double import GuestsDouble

CT = "/nodes/pve/lxc/111"
NET = "name=eth0,bridge=vmbr0,ip=192.168.1.50/24"


@pytest.fixture
async def stopped(api: Api) -> Api:
    status = await api.create(
        rootfs="local-lvm:4", mp0="local-lvm:1,mp=/data", net0=NET, tags="old", cpulimit=1
    )
    assert status == "OK"
    return api


@pytest.fixture
async def running(stopped: Api) -> Api:
    assert await stopped.task("POST", f"{CT}/status/start") == "OK"
    return stopped


async def put(api: Api, **params: Any) -> Any:
    return await api("PUT", f"{CT}/config", **params)


async def test_every_write_changes_the_digest(stopped: Api) -> None:
    before = (await stopped.config())["digest"]
    assert (await put(stopped, description="x")).data is None
    assert (await stopped.config())["digest"] != before


REFUSED = [
    ({}, (500, "no options specified")),
    ({"digest": "0" * 40}, (500, "no options specified")),
    (
        {"cores": 1, "digest": "0" * 40},
        (500, "detected modified configuration - file changed by other user? Try again."),
    ),
    ({"delete": "memory"}, (500, "unable to delete required option 'memory'")),
    ({"delete": "rootfs"}, (500, "unable to delete required option 'rootfs'")),
    ({"delete": "ostype"}, (500, "unable to delete required option 'ostype'")),
    ({"unprivileged": 0}, (500, "unable to modify read-only option: 'unprivileged'")),
    ({"delete": "unprivileged"}, (500, "unable to delete read-only option: 'unprivileged'")),
]


@pytest.mark.parametrize(("params", "refusal"), REFUSED)
async def test_a_change_that_cannot_be_changes_nothing(
    stopped: Api, params: dict[str, Any], refusal: tuple[int, str]
) -> None:
    before = await stopped.config()
    assert (await put(stopped, **params)).refusal == refusal
    assert await stopped.config() == before


async def test_wrong_deletes_are_parameter_errors(stopped: Api) -> None:
    assert (await put(stopped, delete="nope")).errors == {"delete": "unknown option 'nope'"}
    assert (await put(stopped, delete="cores", cores=1)).errors == {
        "delete": "you can't use '-cores' and -delete cores' at the same time"
    }
    assert (await put(stopped, digest="x" * 41, cores=1)).errors == {
        "digest": "value may only be 40 characters long"
    }
    assert (await put(stopped, delete="net7")).data is None


async def test_an_empty_digest_is_ignored(stopped: Api) -> None:
    assert (await put(stopped, cores=3, digest="")).data is None
    assert (await stopped.config())["cores"] == 3


async def test_a_stopped_container_takes_every_change_at_once(stopped: Api) -> None:
    change = {"memory": 2048, "features": "nesting=1", "nameserver": "1.1.1.1 9.9.9.9"}
    assert (await put(stopped, **change, delete="cpulimit")).data is None
    config = await stopped.config(current=1)
    assert {key: config[key] for key in change} == change
    assert "cpulimit" not in config
    assert not [row for row in await stopped.get(f"{CT}/pending") if "pending" in row]


async def test_a_running_container_takes_some_changes_now_and_the_rest_at_its_next_start(
    running: Api, guests: GuestsDouble
) -> None:
    now = {"memory": 2048, "cores": 2, "swap": 0, "tags": "x", "description": "d"}
    later = {"nameserver": "1.1.1.1", "features": "nesting=1", "tty": 1}
    change = {**now, **later, "mp1": "local-lvm:1,mp=/more", "net1": "name=eth1,bridge=vmbr1"}
    assert (await put(running, **change, delete="cpulimit")).data is None
    live = guests.running["ct-111"]
    assert (live.memory_mb, live.cores, live.swap_mb, live.cpulimit) == (2048, 2, 0, 0)
    assert [card.name for card in live.interfaces] == ["eth0", "eth1"]
    assert [volume.mount_path for volume in live.mounts] == ["/data", "/more"]
    assert live.nameservers == ()
    running_now = await running.config(current=1)
    assert not set(later) & set(running_now)
    shown = await running.config()
    assert {key: shown[key] for key in later} == later
    rows = {row["key"]: row for row in await running.get(f"{CT}/pending")}
    assert rows["nameserver"] == {"key": "nameserver", "pending": "1.1.1.1"}
    assert await running.task("POST", f"{CT}/status/reboot", timeout=5) == "OK"
    assert guests.running["ct-111"].nameservers == ("1.1.1.1",)
    assert guests.running["ct-111"].nesting
    assert (await running.config(current=1))["tty"] == 1


async def test_a_pending_change_can_be_taken_back(running: Api) -> None:
    assert (await put(running, nameserver="1.1.1.1", delete="mp0")).data is None
    assert "mp0" not in await running.config()
    assert (await put(running, revert="nameserver,mp0")).data is None
    config = await running.config()
    assert ("nameserver" in config, "mp0" in config) == (False, True)


async def test_the_same_value_again_is_not_pending(running: Api) -> None:
    assert (await put(running, arch="amd64", ostype="debian")).data is None
    assert [row for row in await running.get(f"{CT}/pending") if "pending" in row] == []


async def test_a_hotplug_that_fails_writes_nothing(running: Api, guests: GuestsDouble) -> None:
    before = await running.config()
    guests.fail_on["apply"] = "no such card"
    answer = await put(running, description="x", net0=f"{NET},tag=5")
    assert answer.errors == {"net0": "unable to hotplug net0: no such card"}
    answer = await put(running, mp3="local-lvm:1,mp=/x")
    assert answer.errors == {"mp3": "unable to apply pending change mp3 : no such card"}
    assert await running.config() == before
    volumes = await running.get("/nodes/pve/storage/local-lvm/content")
    assert len(volumes) == 2


async def test_a_change_that_fails_takes_back_those_before_it(
    running: Api, guests: GuestsDouble
) -> None:
    answer = await put(running, memory=2048, net0="name=eth0,bridge=vmbr9")
    assert set(answer.errors) == {"net0"}
    assert guests.calls.count("apply") == 2
    assert guests.running["ct-111"].memory_mb == 512


async def test_a_missing_bridge_is_saved_and_then_refused(stopped: Api) -> None:
    answer = await put(stopped, net0="name=eth0,bridge=vmbr9")
    assert answer.refusal == (500, "bridge 'vmbr9' does not exist")
    assert "bridge=vmbr9" in (await stopped.config())["net0"]
    failed = await stopped.task("POST", f"{CT}/status/start")
    assert failed == "bridge 'vmbr9' does not exist"


async def test_a_missing_bridge_on_a_running_container_is_not_saved(running: Api) -> None:
    before = await running.config()
    answer = await put(running, net0="name=eth0,bridge=vmbr9")
    assert answer.errors == {"net0": "unable to hotplug net0: bridge 'vmbr9' does not exist"}
    assert await running.config() == before


async def test_a_dropped_mount_point_leaves_its_volume_until_that_is_deleted(
    stopped: Api,
) -> None:
    assert (await put(stopped, delete="mp0")).data is None
    config = await stopped.config()
    assert (config["unused0"], "mp0" in config) == ("local-lvm:vm-111-disk-1", False)
    assert (await put(stopped, delete="unused0")).data is None
    rows = await stopped.get("/nodes/pve/storage/local-lvm/content")
    assert [row["volid"] for row in rows] == ["local-lvm:vm-111-disk-0"]


async def test_a_mount_point_dropped_while_running_is_unused_after_the_next_start(
    running: Api,
) -> None:
    assert (await put(running, delete="mp0")).data is None
    assert "unused0" not in await running.config()
    assert await running.task("POST", f"{CT}/status/reboot") == "OK"
    assert (await running.config())["unused0"] == "local-lvm:vm-111-disk-1"


async def test_an_unused_volume_can_be_mounted_again(stopped: Api) -> None:
    assert (await put(stopped, delete="mp0")).data is None
    assert (await put(stopped, mp2="local-lvm:vm-111-disk-1,mp=/again")).data is None
    config = await stopped.config()
    assert config["mp2"] == "local-lvm:vm-111-disk-1,mp=/again,size=1G"
    assert "unused0" not in config


async def test_a_foreign_volume_is_not_taken(stopped: Api) -> None:
    assert await stopped.create(112) == "OK"
    answer = await put(stopped, mp2="local-lvm:vm-112-disk-0,mp=/theirs")
    assert answer.reason == "mp2: 'local-lvm:vm-112-disk-0' is no unused volume of CT 111"


async def test_protection_keeps_disks_as_they_are(stopped: Api) -> None:
    assert (await put(stopped, protection=1)).data is None
    update = await put(stopped, mp0="local-lvm:vm-111-disk-1,mp=/other")
    assert update.refusal == (500, "can't update CT 111 drive 'mp0' - protection mode enabled")
    remove = await put(stopped, delete="mp0")
    assert remove.refusal == (500, "can't remove CT 111 drive 'mp0' - protection mode enabled")
    assert (await put(stopped, protection=0)).data is None
    assert (await put(stopped, delete="mp0")).data is None


async def test_the_providers_way_to_name_the_root_disk_keeps_its_size(running: Api) -> None:
    text = "acl=0,size=12884901888,quota=0,replicate=0,volume=local-lvm:vm-111-disk-0"
    assert (await put(running, rootfs=text)).data is None
    assert (await running.config())["rootfs"] == (
        "local-lvm:vm-111-disk-0,acl=0,quota=0,replicate=0,size=4G"
    )


async def test_a_network_update_may_delete_cards_that_never_were(running: Api) -> None:
    gone = [f"net{index}" for index in range(1, 10)]
    assert (await put(running, net0=f"{NET},tag=20", delete=gone)).data is None
    assert "tag=20" in (await running.config())["net0"]


async def test_a_busy_lock_ends_in_a_timeout(running: Api) -> None:
    running.core.hooks.__dict__["lock_timeout_s"] = 0.05
    async with running.core.locked(111):
        answer = await put(running, cores=1)
    text = "can't lock file '/run/lock/lxc/pve-config-111.lock' - got timeout"
    assert answer.refusal == (500, text)


async def test_a_volume_grows(running: Api, guests: GuestsDouble) -> None:
    assert await running.task("PUT", f"{CT}/resize", disk="rootfs", size="+1G") == "OK"
    assert await running.task("PUT", f"{CT}/resize", disk="mp0", size="2.5G") == "OK"
    config = await running.config()
    assert config["rootfs"] == "local-lvm:vm-111-disk-0,size=5G"
    assert config["mp0"] == "local-lvm:vm-111-disk-1,mp=/data,size=2560M"
    status = await running.get(f"{CT}/status/current")
    assert status["maxdisk"] == 5 << 30
    assert guests.running["ct-111"].rootfs.size_bytes == 5 << 30


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"size": "3G"}, (500, "unable to shrink disk size")),
        ({"size": "4G"}, (500, "disk is already at specified size")),
        ({"size": "+0"}, (500, "disk is already at specified size")),
        (
            {"size": "9G", "digest": "0" * 40},
            (500, "detected modified configuration - file changed by other user? Try again."),
        ),
    ],
)
async def test_a_resize_that_cannot_be_is_refused_before_its_task(
    stopped: Api, params: dict[str, str], refusal: tuple[int, str]
) -> None:
    answer = await stopped("PUT", f"{CT}/resize", disk="rootfs", **params)
    assert answer.refusal == refusal


async def test_a_size_that_is_none_is_a_parameter_error(stopped: Api) -> None:
    answer = await stopped("PUT", f"{CT}/resize", disk="rootfs", size="big")
    assert answer.errors == {"size": "value does not match the regex pattern"}


async def test_a_locked_container_cannot_be_changed(stopped: Api) -> None:
    assert (await put(stopped, lock="backup")).data is None
    locked = (500, "CT is locked (backup)")
    assert (await put(stopped, cores=1)).refusal == locked
    assert (await stopped("PUT", f"{CT}/resize", disk="rootfs", size="9G")).refusal == locked
    assert (await stopped("DELETE", CT)).refusal == locked
    assert await stopped.task("POST", f"{CT}/status/start") == "CT is locked (backup)"
    assert await stopped.task("POST", f"{CT}/status/start", skiplock=1) == "OK"


async def test_an_empty_value_is_none(api: Api) -> None:
    await api.create(tags="a", description="text")
    assert (await api("PUT", "/nodes/pve/lxc/111/config", tags="", description="")).data is None
    assert not {"tags", "description"} & set(await api.config())
    assert "tags" not in await api.get("/nodes/pve/lxc/111/status/current")
