"""What is left after the process ended, one way or the other."""

import json

import pytest

from lab.errors import LabError
from lab.paths import LabPaths
from lab.proxmox.state import Store, read_state
from lab.world import World
from tests.unit.proxmox.conftest import TEMPLATE, WORLD, Serve, wait_until
from tests.unit.proxmox.double import GuestsDouble

CT = "/nodes/pve/lxc/111"


async def test_everything_survives_a_restart(serve: Serve, guests: GuestsDouble) -> None:
    api = await serve(guests)
    assert await api.create(hostname="chat", pool="lab", onboot=1) == "OK"
    assert await api.task("POST", f"{CT}/status/start") == "OK"
    await api("PUT", f"{CT}/config", nameserver="1.1.1.1")
    await api("POST", f"{CT}/firewall/rules", type="in", action="DROP")
    await api("POST", "/access/users/admin@pve/token/new")
    paths = [f"{CT}/config", f"{CT}/pending", f"{CT}/firewall/rules", "/pools/lab"]
    paths += ["/access/acl", "/access/users/admin@pve/token", "/nodes/pve/tasks"]
    before = [await api.get(path) for path in paths]
    again = await serve(guests)
    assert [await again.get(path) for path in paths] == before
    # A ticket of the old process is good for the new one.
    assert (await again.with_headers(api.headers)("GET", "/version")).status == 200
    assert (await again.get(f"{CT}/status/current"))["status"] == "running"


async def test_a_create_cut_off_by_a_kill_leaves_nothing(
    serve: Serve, guests: GuestsDouble, paths: LabPaths
) -> None:
    api = await serve(guests)
    guests.paused.add("create")
    upid = (
        await api("POST", "/nodes/pve/lxc", vmid=111, ostemplate=TEMPLATE, storage="local-lvm")
    ).data
    await wait_until(lambda: "create" in guests.calls)
    assert read_state(paths.proxmox_state).guests[111].config == {"lock": "create"}
    image = paths.storages / "local-lvm" / "images" / "vm-111-disk-0.raw"
    assert image.exists()
    other = await serve(GuestsDouble())  # the first process is as good as dead
    status = await other.get(f"/nodes/pve/tasks/{upid}/status")
    assert (status["status"], status["exitstatus"]) == ("stopped", "unexpected status")
    assert await other.get("/cluster/nextid", vmid=111) == 111
    assert not image.exists()


async def test_a_removal_cut_off_by_a_kill_is_finished(
    serve: Serve, guests: GuestsDouble, paths: LabPaths
) -> None:
    api = await serve(guests)
    assert await api.create() == "OK"
    guests.paused.add("destroy")
    await api("DELETE", CT)
    await wait_until(lambda: "destroy" in guests.calls)
    other = await serve(GuestsDouble())
    assert await other.get("/cluster/nextid", vmid=111) == 111
    assert not list((paths.storages / "local-lvm" / "images").iterdir())


def test_a_damaged_state_is_one_clear_error(paths: LabPaths) -> None:
    paths.proxmox_state.write_text('{"users": 7}', encoding="utf-8")
    with pytest.raises(LabError, match="is damaged; run `bin/lab down`, then `bin/lab up`"):
        Store.open(paths.proxmox_state, World.model_validate(WORLD))


def test_the_state_is_one_file_of_its_owner(paths: LabPaths) -> None:
    Store.open(paths.proxmox_state, World.model_validate(WORLD)).save()
    assert paths.proxmox_state.stat().st_mode & 0o777 == 0o600
    assert json.loads(paths.proxmox_state.read_text(encoding="utf-8"))["guests"].keys() == {
        "900",
        "901",
    }
    assert [path.name for path in paths.root.iterdir() if "proxmox" in path.name] == [
        "proxmox.json"
    ]
