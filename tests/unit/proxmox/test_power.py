"""Starting, stopping and removing containers, and the node's own boot."""

import pytest

from lab.proxmox.boot import start_onboot, stop_all
from lab.proxmox.hooks import Hooks
from tests.unit.proxmox.conftest import Api, Serve, wait_until
from tests.unit.proxmox.double import GuestsDouble

CT = "/nodes/pve/lxc/111"


@pytest.fixture
async def running(api: Api) -> Api:
    assert await api.create(hostname="chat", net0="name=eth0,bridge=vmbr0,ip=10.0.0.2/24") == "OK"
    assert await api.task("POST", f"{CT}/status/start") == "OK"
    return api


async def test_a_running_container_shows_what_it_uses(running: Api) -> None:
    status = await running.get(f"{CT}/status/current")
    assert (status["status"], status["vmid"], status["name"]) == ("running", 111, "chat")
    assert (status["pid"], status["uptime"], status["mem"]) == (4242, 7, 50 << 20)
    assert (status["cpus"], status["maxmem"], status["ha"]) == (8, 512 << 20, {"managed": 0})
    rows = await running.get("/nodes/pve/lxc")
    assert [(row["vmid"], row["status"]) for row in rows] == [(111, "running"), (900, "stopped")]
    assert "ha" not in rows[0]
    assert "pid" not in rows[1]


async def test_addresses_are_those_of_the_running_container(running: Api) -> None:
    loopback, card = await running.get(f"{CT}/interfaces")
    assert loopback["name"] == "lo"
    assert card["inet"] == "10.0.0.2/24"
    assert card["hwaddr"] == card["hardware-address"]
    assert card["ip-addresses"] == [
        {"ip-address": "10.0.0.2", "ip-address-type": "inet", "prefix": 24}
    ]
    assert await running.task("POST", f"{CT}/status/stop") == "OK"
    assert await running.get(f"{CT}/interfaces") is None


async def test_power_calls_that_make_no_sense_are_refused_at_once(running: Api) -> None:
    again = await running("POST", f"{CT}/status/start")
    assert again.refusal == (500, "CT 111 already running")
    assert await running.task("POST", f"{CT}/status/stop") == "OK"
    for verb, text in (
        ("stop", "CT 111 not running"),
        ("shutdown", "CT 111 not running"),
        ("reboot", "VM 111 not running"),
    ):
        assert (await running("POST", f"{CT}/status/{verb}")).refusal == (500, text)


async def test_a_locked_container_is_not_stopped_under_whoever_locked_it(running: Api) -> None:
    assert (await running("PUT", f"{CT}/config", lock="backup")).data is None
    for verb in ("stop", "shutdown"):
        assert await running.task("POST", f"{CT}/status/{verb}") == "CT is locked (backup)"
    assert (await running.get(f"{CT}/status/current"))["status"] == "running"
    assert await running.task("POST", f"{CT}/status/stop", skiplock=1) == "OK"


async def test_a_missing_container_fails_in_the_start_task(api: Api) -> None:
    failed = await api.task("POST", "/nodes/pve/lxc/555/status/start")
    assert failed == "Configuration file 'nodes/pve/lxc/555.conf' does not exist"
    assert (await api("POST", "/nodes/pve/lxc/555/status/stop")).reason == "CT 555 not running"


async def test_a_template_and_a_record_of_the_world_cannot_start(api: Api) -> None:
    assert await api.create(template=1) == "OK"
    failed = await api.task("POST", f"{CT}/status/start")
    assert failed == "you can't start a CT if it's a template"
    failed = await api.task("POST", "/nodes/pve/lxc/900/status/start")
    assert failed == "CT 900 is a record of the world file: it has no disk to start from"


async def test_a_shutdown_that_is_ignored_fails_unless_force_is_wanted(
    running: Api, guests: GuestsDouble
) -> None:
    guests.ignores_shutdown = True
    failed = await running.task("POST", f"{CT}/status/shutdown", timeout=1)
    assert failed == "container did not stop"
    assert guests.is_running("ct-111")
    forced = await running.task("POST", f"{CT}/status/shutdown", timeout=1, forceStop=1)
    assert forced == "OK"
    assert not guests.is_running("ct-111")


async def test_a_stop_can_overrule_a_shutdown_that_hangs(
    running: Api, guests: GuestsDouble
) -> None:
    guests.paused.add("shutdown")
    hanging = (await running("POST", f"{CT}/status/shutdown")).data
    await wait_until(lambda: "shutdown" in guests.calls)
    assert await running.task("POST", f"{CT}/status/stop", overrule_shutdown=1) == "OK"
    status = await running.get(f"/nodes/pve/tasks/{hanging}/status")
    assert status["exitstatus"] == "received interrupt"


async def test_a_failed_start_is_told_by_its_task(api: Api, guests: GuestsDouble) -> None:
    assert await api.create() == "OK"
    guests.fail_on["start"] = "init did not come up\nsee the log"
    assert await api.task("POST", f"{CT}/status/start") == "init did not come up see the log"


async def test_a_start_that_another_start_has_overtaken_is_no_failure(
    api: Api, guests: GuestsDouble
) -> None:
    assert await api.create() == "OK"
    guests.paused.add("start")
    upids = [(await api("POST", f"{CT}/status/start")).data for _ in range(2)]
    await wait_until(lambda: "start" in guests.calls)
    guests.resumed.set()
    await api.core.tasks.wait_all()
    for upid in upids:
        assert (await api.get(f"/nodes/pve/tasks/{upid}/status"))["exitstatus"] == "OK"
    assert guests.calls.count("start") == 1


async def test_a_removed_container_leaves_nothing(running: Api) -> None:
    await running("PUT", "/pools/lab", vms="111")
    await running("PUT", "/access/acl", path="/vms/111", roles="PVEAuditor", users="plain@pve")
    await running("POST", f"{CT}/firewall/rules", type="in", action="ACCEPT")
    refused = await running("DELETE", CT)
    assert refused.refusal == (500, "unable to destroy CT 111 - container is running")
    assert await running.task("DELETE", CT, force=1) == "OK"
    gone = (500, "Configuration file 'nodes/pve/lxc/111.conf' does not exist")
    for path in ("config", "status/current", "interfaces", "pending"):
        assert (await running("GET", f"{CT}/{path}")).refusal == gone
    assert (await running("DELETE", CT)).refusal == gone
    assert await running.get("/nodes/pve/storage/local-lvm/content") == []
    assert (await running.get("/pools/lab"))["members"] == []
    assert [row for row in await running.get("/access/acl") if row["path"] == "/vms/111"] == []
    assert await running.get(f"{CT}/firewall/rules") == []
    assert await running.get("/cluster/nextid", vmid=111) == 111


async def test_protection_and_the_order_of_checks_of_a_removal(running: Api) -> None:
    await running("PUT", f"{CT}/config", protection=1, lock="backup")
    refused = await running("DELETE", CT)
    assert refused.refusal == (500, "can't remove CT 111 - protection mode enabled")


async def test_while_it_is_removed_only_the_lock_is_left(
    running: Api, guests: GuestsDouble
) -> None:
    guests.paused.add("destroy")
    upid = (await running("DELETE", CT, force=1)).data
    await wait_until(lambda: "destroy" in guests.calls)
    config = await running.config()
    assert (set(config), config["lock"]) == ({"lock", "digest"}, "destroyed")
    guests.resumed.set()
    await running.core.tasks.wait(upid)


async def test_unreferenced_disks_go_only_when_that_is_wanted(api: Api) -> None:
    stray = api.core.paths.storages / "files" / "images" / "vm-111-disk-7.raw"
    stray.parent.mkdir(parents=True)
    for purge in (0, 1):
        stray.write_bytes(b"x")
        assert await api.create() == "OK"
        options = {"destroy_unreferenced_disks": purge}
        assert await api.task("DELETE", CT, **options) == "OK"
        assert stray.exists() == (not purge)


async def test_a_record_of_the_world_can_be_removed(api: Api) -> None:
    assert await api.task("DELETE", "/nodes/pve/lxc/900") == "OK"
    assert await api.get("/nodes/pve/lxc") == []


async def test_after_a_boot_containers_start_in_order_and_only_those_that_should(
    api: Api, guests: GuestsDouble
) -> None:
    plan = {121: {"startup": "order=2"}, 122: {}, 123: {"startup": "order=1,up=0"}}
    for vmid, options in plan.items():
        assert await api.create(vmid, onboot=1, **options) == "OK"
    assert await api.create(124) == "OK"
    guests.calls.clear()
    await start_onboot(api.core)
    assert list(guests.running) == ["ct-123", "ct-121", "ct-122"]
    await stop_all(api.core)
    assert guests.running == {}
    rows = await api.get("/nodes/pve/tasks", typefilter="vzshutdown")
    assert [row["id"] for row in reversed(rows)] == ["122", "121", "123"]


async def test_one_that_does_not_start_does_not_keep_the_next_one_down(
    api: Api, guests: GuestsDouble
) -> None:
    assert await api.create(121, onboot=1, net0="name=eth0,bridge=vmbr9") == "OK"
    assert await api.create(122, onboot=1) == "OK"
    await start_onboot(api.core)
    assert list(guests.running) == ["ct-122"]


async def test_the_nodes_power_switch_is_given_to_the_lab(
    serve: Serve, guests: GuestsDouble
) -> None:
    pressed: list[str] = []

    async def power(command: str) -> None:
        pressed.append(command)

    api = await serve(guests, Hooks(node_power=power, refusal_delay_s=0))
    assert (await api("POST", "/nodes/pve/status", command="reboot")).data is None
    assert pressed == ["reboot"]
    plain = await api.as_token("plain@pve!tok")("POST", "/nodes/pve/status", command="reboot")
    assert plain.refusal == (403, "Permission check failed (/nodes/pve, Sys.PowerMgmt)")
