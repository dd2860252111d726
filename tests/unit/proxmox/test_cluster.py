"""Pools, the node, lists of everything, free ids, tasks."""

import time

import pytest

from lab.proxmox.hooks import Hooks
from tests.unit.proxmox.conftest import Api, Serve
from tests.unit.proxmox.double import GuestsDouble


async def test_free_ids_know_every_kind_of_guest(api: Api) -> None:
    assert await api.get("/cluster/nextid") == 100
    assert await api.get("/cluster/nextid", vmid=555) == 555
    for vmid in (900, 901):
        answer = await api("GET", "/cluster/nextid", vmid=vmid)
        assert answer.errors == {"vmid": f"VM {vmid} already exists"}
    blind = api.as_token("plain@pve!tok")
    assert (await blind("GET", "/cluster/nextid", vmid=901)).status == 400
    assert await blind.get("/cluster/resources", type="vm") == []


async def test_resources_show_a_new_container_only_after_it_was_sampled(
    serve: Serve, guests: GuestsDouble
) -> None:
    api = await serve(guests, Hooks(refusal_delay_s=0, sample_every_s=3600))
    assert await api.create(hostname="chat", tags="a", pool="lab") == "OK"
    rows = {row["vmid"]: row for row in await api.get("/cluster/resources", type="vm")}
    fresh = rows[111]
    assert (fresh["status"], "name" in fresh) == ("unknown", False)
    assert (fresh["id"], fresh["pool"], fresh["tags"]) == ("lxc/111", "lab", "a")
    assert (rows[900]["name"], rows[900]["status"]) == ("old", "stopped")
    assert rows[901]["type"] == "qemu"
    api.core.store.state.guests[111].created = time.time() - 7200
    rows = {row["vmid"]: row for row in await api.get("/cluster/resources", type="vm")}
    assert (rows[111]["name"], rows[111]["status"]) == ("chat", "stopped")


async def test_resources_of_every_type(api: Api) -> None:
    rows = await api.get("/cluster/resources")
    assert {row["type"] for row in rows} == {"lxc", "qemu", "node", "storage", "pool"}
    assert {row["id"] for row in await api.get("/cluster/resources", type="node")} == {"node/pve"}


async def test_the_node_is_what_the_world_says(api: Api) -> None:
    node = (await api.get("/nodes"))[0]
    assert (node["node"], node["status"], node["maxcpu"]) == ("pve", "online", 8)
    assert node["maxmem"] == 32768 << 20
    status = await api.get("/nodes/pve/status")
    assert status["memory"]["total"] == 32768 << 20
    assert await api.get("/version") == await api.get("/nodes/pve/version")
    assert (await api.get("/version"))["version"] == "9.1.4"
    assert (await api.get("/cluster/status"))[0]["ip"] == "192.168.1.11"


async def test_bridges_are_those_of_the_world(api: Api) -> None:
    rows = await api.get("/nodes/pve/network", type="bridge")
    assert [row["iface"] for row in rows] == ["vmbr0", "vmbr1"]
    assert rows[0]["cidr"] == "192.168.1.11/24"
    plain = api.as_token("plain@pve!tok")
    assert await plain.get("/nodes/pve/network") == []
    await api.grant("plain@pve", "/sdn/zones/localnetwork/vmbr1", "SDN.Use")
    assert [row["iface"] for row in await plain.get("/nodes/pve/network")] == ["vmbr1"]


async def test_a_pools_life(api: Api) -> None:
    assert (await api("POST", "/pools", poolid="p", comment="mine")).data is None
    again = await api("POST", "/pools", poolid="p")
    assert again.refusal == (500, "create pool failed: pool 'p' already exists")
    assert {"poolid": "p", "comment": "mine"} in await api.get("/pools")
    assert (await api("PUT", "/pools", poolid="p", vms="900,12345")).data is None
    listed = await api.get("/pools", poolid="p")
    assert [(row["id"], row["type"]) for row in listed[0]["members"]] == [("lxc/900", "lxc")]
    for change, text in (
        ({"poolid": "p", "vms": "900"}, "VM 900 is already a pool member"),
        (
            {"poolid": "lab", "vms": "900"},
            "VM 900 belongs already to pool 'p' and 'allow-move' is not set",
        ),
        ({"poolid": "lab", "vms": "901", "delete": 1}, "VM 901 is not a pool member"),
        ({"poolid": "nope", "vms": "901"}, "pool 'nope' does not exist"),
    ):
        answer = await api("PUT", "/pools", **change)
        assert answer.refusal == (500, f"update pools failed: {text}")
    full = await api("DELETE", "/pools", poolid="p")
    assert full.refusal == (
        500,
        "delete pool failed: pool 'p' is not empty (contains VM 900)",
    )
    moved = await api("PUT", "/pools", poolid="lab", vms="900", allow_move=1)
    assert moved.data is None
    assert (await api("DELETE", "/pools", poolid="p")).data is None
    gone = await api("GET", "/pools", poolid="p")
    assert gone.refusal == (500, "pool 'p' does not exist")


async def test_pool_members_need_a_right_of_their_own(api: Api) -> None:
    await api.grant("plain@pve", "/pool/lab", "Pool.Allocate")
    answer = await api.as_token("plain@pve!tok")("PUT", "/pools/lab", vms="900")
    assert answer.refusal == (
        403,
        "Permission check failed (/vms/900, VM.Allocate|Permissions.Modify)",
    )


async def test_a_task_names_its_token_apart_from_its_user(api: Api) -> None:
    token = api.as_token("admin@pve!full")
    upid = (await token("POST", "/nodes/pve/lxc/900/status/start")).data
    await api.core.tasks.wait(upid)
    fields = upid.split(":")
    assert len(fields) == 9
    assert (fields[0], fields[1], fields[5:]) == (
        "UPID",
        "pve",
        ["vzstart", "900", "admin@pve!full", ""],
    )
    assert fields[2] == fields[2].upper()
    assert (len(fields[2]), len(fields[4])) == (8, 8)
    status = await token.get(f"/nodes/pve/tasks/{upid}/status")
    assert (status["user"], status["tokenid"], status["status"]) == (
        "admin@pve",
        "full",
        "stopped",
    )


async def test_a_log_is_numbered_from_one_and_says_how_it_ended(api: Api) -> None:
    assert await api.create() == "OK"
    upid = (await api.get("/nodes/pve/tasks"))[0]["upid"]
    whole = await api("GET", f"/nodes/pve/tasks/{upid}/log", limit=0)
    rows = whole.data
    assert whole.body["total"] == len(rows)
    assert [row["n"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["t"] == "TASK OK"
    part = await api.get(f"/nodes/pve/tasks/{upid}/log", start=1, limit=1)
    assert part == [rows[1]]
    failed = await api.create(112, ostemplate="local:vztmpl/none.tar.gz")
    upid = (await api.get("/nodes/pve/tasks"))[0]["upid"]
    rows = await api.get(f"/nodes/pve/tasks/{upid}/log")
    assert rows[-1]["t"] == f"TASK ERROR: {failed}"


async def test_warnings_are_counted(api: Api) -> None:
    async def work(log: object) -> None:
        assert callable(log)
        for line in ("WARN: one", "warning: none", "WARN: two"):
            log(line)

    upid = api.core.tasks.start("vzstart", "900", "root@pam", work)
    await api.core.tasks.wait(upid)
    status = await api.get(f"/nodes/pve/tasks/{upid}/status")
    assert status["exitstatus"] == "WARNINGS: 2"
    log = await api.get(f"/nodes/pve/tasks/{upid}/log")
    assert log[-1]["t"] == "TASK WARNINGS: 2"


async def test_tasks_are_listed_newest_first_and_filtered(api: Api, guests: GuestsDouble) -> None:
    assert await api.create() == "OK"
    assert await api.task("POST", "/nodes/pve/lxc/900/status/start") != "OK"
    listed = await api("GET", "/nodes/pve/tasks", limit=1)
    assert ([row["type"] for row in listed.data], listed.body["total"]) == (["vzstart"], 2)
    assert [row["id"] for row in await api.get("/nodes/pve/tasks", vmid=111)] == ["111"]
    assert [row["id"] for row in await api.get("/nodes/pve/tasks", errors=1)] == ["900"]
    assert await api.get("/nodes/pve/tasks", typefilter="vzstop") == []
    guests.paused.add("start")
    upid = (await api("POST", "/nodes/pve/lxc/111/status/start")).data
    active = await api.get("/nodes/pve/tasks", source="active")
    assert [(row["upid"], row["status"]) for row in active] == [(upid, "RUNNING")]
    assert upid not in [row["upid"] for row in await api.get("/nodes/pve/tasks")]
    guests.resumed.set()
    await api.core.tasks.wait(upid)


@pytest.mark.parametrize(
    ("upid", "text"),
    [
        ("nonsense", "unable to parse worker upid"),
        ("UPID:pve:00000001:00000001:00000001:vzstart:1:root@pam:", "no such task"),
    ],
)
async def test_a_task_that_is_none_is_a_parameter_error(api: Api, upid: str, text: str) -> None:
    for path in ("status", "log"):
        answer = await api("GET", f"/nodes/pve/tasks/{upid}/{path}")
        assert answer.errors == {"upid": text}
