"""Creating a container: what is refused before a task, what fails in it, what is kept."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.proxmox.containers.ostype import detect_ostype
from tests.unit.proxmox.conftest import TEMPLATE, Api, Serve, wait_until, write_template
from tests.unit.proxmox.double import GuestsDouble

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKPAaUqVDJ8Y2vWs2hYv5x5yN1d9zv0Y3hB5m6bE3g7r me"
LXC = "/nodes/pve/lxc"


async def test_a_container_is_kept_as_proxmox_writes_it(api: Api) -> None:
    status = await api.create(
        111,
        hostname="chat",
        cores=2,
        cpulimit=0,
        memory=1024,
        swap=256,
        onboot=1,
        features="nesting=1",
        tags="B-two;berth,a",
        description="hello\nworld",
        rootfs="volume=local-lvm:8",
        mp0="volume=local-lvm:1.5,mp=/data,backup=1",
        net0="ip=192.168.1.50/24,bridge=vmbr0,gw=192.168.1.1,name=eth0,firewall=1",
        startup="order=2,up=5",
        ostype="debian",
        password="secret",
    )
    assert status == "OK"
    config = await api.config()
    assert config.pop("digest")
    mac = config["net0"].partition("hwaddr=")[2].partition(",")[0]
    assert mac.startswith("BC:24:11:")
    assert len(mac) == 17
    assert config == {
        "arch": "amd64",
        "cores": 2,
        "cpulimit": "0",
        "description": "hello\nworld\n",
        "features": "nesting=1",
        "hostname": "chat",
        "memory": 1024,
        "mp0": "local-lvm:vm-111-disk-1,backup=1,mp=/data,size=1536M",
        "net0": f"name=eth0,bridge=vmbr0,firewall=1,gw=192.168.1.1,hwaddr={mac},"
        "ip=192.168.1.50/24,type=veth",
        "onboot": 1,
        "ostype": "debian",
        "rootfs": "local-lvm:vm-111-disk-0,size=8G",
        "startup": "order=2,up=5",
        "swap": 256,
        "tags": "a;b-two;berth",
        "unprivileged": 1,
    }


async def test_what_is_not_sent_gets_proxmox_defaults(api: Api) -> None:
    assert await api.create(112) == "OK"
    config = await api.config(112)
    assert (config["hostname"], config["memory"], config["swap"]) == ("CT112", 512, 512)
    assert config["rootfs"] == "local-lvm:vm-112-disk-0,size=4G"
    assert (config["ostype"], config["unprivileged"]) == ("debian", 1)
    assert not {"cores", "tty", "console", "onboot", "lock"} & set(config)


async def test_a_privileged_container_has_no_unprivileged_key(api: Api) -> None:
    assert await api.create(unprivileged=0) == "OK"
    assert "unprivileged" not in await api.config()


@pytest.mark.parametrize(
    ("storage", "volume"),
    [
        ("files", "files:111/vm-111-disk-0.raw"),
        ("local-lvm", "local-lvm:vm-111-disk-0"),
        ("local-zfs", "local-zfs:subvol-111-disk-0"),
    ],
)
async def test_volumes_are_named_by_the_type_of_their_storage(
    api: Api, storage: str, volume: str
) -> None:
    assert await api.create(storage=storage) == "OK"
    assert (await api.config())["rootfs"] == f"{volume},size=4G"
    rows = await api.get(f"/nodes/pve/storage/{storage}/content")
    assert [(row["volid"], row["vmid"], row["size"]) for row in rows] == [(volume, 111, 4 << 30)]


async def test_keys_and_password_reach_the_container_but_no_answer(
    api: Api, guests: GuestsDouble
) -> None:
    assert await api.create(password="hunter2x", ssh_public_keys=f"# mine\n{KEY}\n") == "OK"
    assert guests.access["ct-111"].password == "hunter2x"
    assert guests.access["ct-111"].ssh_public_keys == (KEY,)
    assert "hunter2x" not in json.dumps(await api.config())


async def test_the_configuration_is_locked_while_the_task_runs(
    api: Api, guests: GuestsDouble
) -> None:
    guests.paused.add("create")
    upid = (await api("POST", LXC, vmid=111, ostemplate=TEMPLATE, storage="local-lvm")).data
    config = await api.config()
    assert (set(config), config["lock"]) == ({"lock", "digest"}, "create")
    assert (await api.get(f"/nodes/pve/tasks/{upid}/status"))["status"] == "running"
    for method, path in (("PUT", "config"), ("DELETE", "")):
        params: dict[str, Any] = {"cores": 1} if method == "PUT" else {}
        refused = await api(method, f"{LXC}/111/{path}", **params)
        assert refused.refusal == (500, "CT is locked (create)")
    guests.resumed.set()
    await api.core.tasks.wait(upid)
    assert "lock" not in await api.config()


async def test_start_runs_as_a_second_task_whose_failure_does_not_fail_the_create(
    api: Api, guests: GuestsDouble
) -> None:
    assert await api.create(start=1, net0="name=eth0,bridge=vmbr9") == "OK"
    await api.core.tasks.wait_all()
    rows = await api.get("/nodes/pve/tasks", vmid=111)
    assert [(row["type"], row["status"]) for row in rows] == [
        ("vzstart", "bridge 'vmbr9' does not exist"),
        ("vzcreate", "OK"),
    ]


REFUSED = [
    ({"vmid": 900}, (500, "CT 900 already exists on node 'pve'")),
    ({"vmid": 901}, (500, "VM 901 already exists on node 'pve'")),
    ({"ssh_public_keys": "ssh-ed25519 nonsense"}, (500, "SSH public key validation error")),
    ({"pool": "nope"}, (403, "Permission check failed (pool 'nope' does not exist)")),
    ({"ostemplate": "nope:vztmpl/a.tar.gz"}, (500, "storage 'nope' does not exist")),
    ({"ostemplate": "local:whatever"}, (500, "unable to parse directory volume name 'whatever'")),
    (
        {"ostemplate": "local:iso/a.iso"},
        (500, "unable to use volume local:iso/a.iso - content type needs to be 'vztmpl'"),
    ),
    (
        {"mp0": "local-lvm:1,mp=/data"},
        (500, "mount points configured, but 'rootfs' not set - aborting"),
    ),
    ({"rootfs": "nope:8"}, (500, "storage 'nope' does not exist")),
    ({"rootfs": "off:8"}, (500, "storage 'off' is disabled")),
    (
        {"net0": "name=eth0,bridge=vmbr0,mtu=9000"},
        (500, "net0: MTU size '9000' is bigger than bridge MTU '1500'"),
    ),
    ({"hookscript": "local:snippets/x.sh"}, (500, "script 'local:snippets/x.sh' does not exist")),
    ({"dev0": "/dev/berth-none"}, (500, "Device /dev/berth-none does not exist")),
]


@pytest.mark.parametrize(("params", "refusal"), REFUSED)
async def test_a_create_that_cannot_be_is_refused_before_a_task(
    api: Api, params: dict[str, Any], refusal: tuple[int, str]
) -> None:
    asked: dict[str, Any] = {"vmid": 111, "ostemplate": TEMPLATE, "storage": "local-lvm"} | params
    answer = await api("POST", LXC, **asked)
    assert answer.refusal == refusal
    assert await api.get("/nodes/pve/tasks", source="all") == []
    assert (await api("GET", "/cluster/nextid", vmid=111)).status == 200


async def test_a_storage_without_container_directories_is_a_parameter_error(api: Api) -> None:
    answer = await api("POST", LXC, vmid=111, ostemplate=TEMPLATE, storage="local")
    assert answer.errors == {"storage": "storage 'local' does not support container directories"}


async def test_a_task_that_fails_leaves_the_id_and_the_storage_free(
    api: Api, guests: GuestsDouble
) -> None:
    guests.fail_on["create"] = "tar: Unexpected EOF in archive"
    failed = await api.create(pool="lab")
    assert failed == "unable to create CT 111 - tar: Unexpected EOF in archive"
    assert await api.get("/nodes/pve/storage/local-lvm/content") == []
    assert (await api.get("/pools", poolid="lab"))[0]["members"] == []
    del guests.fail_on["create"]
    assert await api.create() == "OK"


async def test_a_missing_template_fails_in_the_task(api: Api) -> None:
    failed = await api.create(ostemplate="local:vztmpl/x.tar.zst")
    assert failed == "unable to create CT 111 - volume 'local:vztmpl/x.tar.zst' does not exist"
    assert (await api("GET", f"{LXC}/111/config")).status == 500


async def test_a_full_storage_fails_in_the_task(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = api.core.paths.storages / "files" / "images" / "vm-500-disk-0.raw"
    disk.parent.mkdir(parents=True)
    disk.write_bytes(b"x" * 65536)
    used = (await api.get("/nodes/pve/storage/files/status"))["used"]
    assert used == 65536
    monkeypatch.setattr(api.core.storages, "total", lambda _: used)
    failed = await api.create(storage="files")
    assert failed == "unable to create CT 111 - storage 'files': No space left on device"


async def test_an_archive_without_a_system_is_refused_unless_unmanaged(api: Api) -> None:
    cache = api.core.paths.storages / "local" / "template" / "cache"
    write_template(cache / "odd.tar.gz", "ID=plan9\n")
    odd = "local:vztmpl/odd.tar.gz"
    failed = await api.create(ostemplate=odd)
    assert failed == "unable to create CT 111 - unable to detect OS distribution"
    assert await api.create(ostemplate=odd, ostype="unmanaged") == "OK"
    assert (await api.config())["ostype"] == "unmanaged"


async def test_a_wrong_ostype_is_overwritten_with_a_line_in_the_log(api: Api) -> None:
    assert await api.create(ostype="alpine") == "OK"
    assert (await api.config())["ostype"] == "debian"
    upid = (await api.get("/nodes/pve/tasks", vmid=111))[0]["upid"]
    lines = [row["t"] for row in await api.get(f"/nodes/pve/tasks/{upid}/log")]
    assert "setting ostype to 'debian', the template is no 'alpine'" in lines


async def test_an_interrupted_create_leaves_nothing(api: Api, guests: GuestsDouble) -> None:
    guests.paused.add("create")
    upid = (await api("POST", LXC, vmid=111, ostemplate=TEMPLATE, storage="local-lvm")).data
    await wait_until(lambda: "create" in guests.calls)
    await api("DELETE", f"/nodes/pve/tasks/{upid}")
    guests.resumed.set()
    await api.core.tasks.wait(upid)
    status = await api.get(f"/nodes/pve/tasks/{upid}/status")
    assert status["exitstatus"] == "received interrupt"
    assert await api.get(f"{LXC}") == [row for row in await api.get(LXC) if row["vmid"] == 900]
    assert await api.get("/nodes/pve/storage/local-lvm/content") == []


async def test_two_creates_of_one_id_at_once_make_one_container(api: Api) -> None:
    answers = await asyncio.gather(
        *(api("POST", LXC, vmid=111, ostemplate=TEMPLATE, storage="local-lvm") for _ in range(4))
    )
    assert sorted(answer.status for answer in answers) == [200, 500, 500, 500]
    text = "CT 111 already exists on node 'pve'"
    lost_race = f"unable to create CT 111 - {text}"
    assert {answer.reason for answer in answers if answer.status == 500} <= {text, lost_race}


async def test_without_containers_a_create_is_refused_and_nothing_is_kept(serve: Serve) -> None:
    api = await serve(None)
    answer = await api("POST", LXC, vmid=111, ostemplate=TEMPLATE, storage="local-lvm")
    assert answer.refusal == (
        500,
        (
            "this lab has no containers: they need Linux, root and LXC; "
            "`bin/lab status` says what is missing"
        ),
    )
    assert (await api.get("/cluster/nextid", vmid=111)) == 111
    assert (await api("POST", f"{LXC}/900/status/start")).status == 500


async def test_an_interrupted_look_into_a_template_leaves_no_process(tmp_path: Path) -> None:
    others = set(psutil.Process().children())
    pipe = tmp_path / "never-ends.tar"
    os.mkfifo(pipe)
    looking = asyncio.create_task(detect_ostype(pipe))
    await wait_until(lambda: bool(set(psutil.Process().children()) - others))
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert set(psutil.Process().children()) - others == set()


@pytest.mark.parametrize("size", ["inf", "nan", "1e2", " 5", "1_0", "\uff19"])
async def test_a_size_that_only_python_reads_is_none(api: Api, size: str) -> None:
    answer = await api(
        "POST", "/nodes/pve/lxc", vmid=111, ostemplate=TEMPLATE, rootfs=f"files:{size}"
    )
    assert (answer.status, answer.reason[:33]) == (500, "rootfs: the lab makes new volumes")
    assert 111 not in api.core.store.state.guests


async def test_what_the_machine_refuses_is_an_error_of_the_create_too(
    api: Api, guests: GuestsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(guests, "create", refuse)
    exitstatus = await api.create()
    assert exitstatus == "unable to create CT 111 - [Errno 28] No space left on device"
    assert 111 not in api.core.store.state.guests
