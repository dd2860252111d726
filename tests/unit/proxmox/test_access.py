"""Logins, users, tokens, roles and what the access list makes of them."""

import asyncio
from typing import Any

import pytest

from lab.errors import LabError
from lab.paths import LabPaths
from lab.proxmox import credentials
from tests.unit.proxmox.conftest import ROOT_PASSWORD, Api
from tests.unit.proxmox.double import GuestsDouble


async def test_a_password_buys_a_ticket_that_works(api: Api) -> None:
    nobody = api.with_headers({})
    login = {"username": "root@pam", "password": ROOT_PASSWORD}
    data = (await nobody("POST", "/access/ticket", **login)).data
    assert data["username"] == "root@pam"
    assert data["cap"]["vms"]["VM.Allocate"] == 1
    headers = {
        "Cookie": f"PVEAuthCookie={data['ticket']}",
        "CSRFPreventionToken": data["CSRFPreventionToken"],
    }
    assert (await api.with_headers(headers)("POST", "/pools", poolid="p")).status == 200
    again = await nobody("POST", "/access/ticket", username="root@pam", password=data["ticket"])
    assert again.status == 200


async def test_the_realm_may_be_a_parameter(api: Api) -> None:
    login = {"username": "admin", "realm": "pve", "password": "admin-password"}
    answer = await api.with_headers({})("POST", "/access/ticket", **login)
    assert answer.data["username"] == "admin@pve"


@pytest.mark.parametrize("user", ["root@pam", "nobody@pam", "gone@pve", "root"])
async def test_a_wrong_password_says_nothing_about_the_user(api: Api, user: str) -> None:
    login = {"username": user, "password": "gone" if user == "gone@pve" else "wrong"}
    answer = await api.with_headers({})("POST", "/access/ticket", **login)
    assert answer.refusal == (401, "authentication failure")
    assert answer.body == {"data": None, "message": "authentication failure\n"}


async def test_a_token_without_privilege_separation_has_its_users_rights(api: Api) -> None:
    assert (await api.as_token("admin@pve!full")("POST", "/pools", poolid="p")).status == 200


async def test_a_separated_token_has_only_what_both_have(api: Api) -> None:
    bare = api.as_token("admin@pve!bare")
    refused = await bare("POST", "/pools", poolid="p")
    assert refused.refusal == (403, "Permission check failed (/pool/p, Pool.Allocate)")
    await api.grant("admin@pve!bare", "/pool", "Pool.Allocate")
    assert (await bare("POST", "/pools", poolid="p")).status == 200
    await api.grant("plain@pve", "/pool/q", "Pool.Audit")
    await api("PUT", "/access/users/plain@pve/token/tok", privsep=1)
    await api.grant("plain@pve!tok", "/pool/q", "Pool.Allocate", "Pool.Audit")
    poor = api.as_token("plain@pve!tok")
    assert (await poor("POST", "/pools", poolid="q")).status == 403
    held = await poor.get("/access/permissions", path="/pool/q")
    assert held == {"/pool/q": {"Pool.Audit": 1}}


async def test_an_entry_further_down_replaces_what_is_inherited(api: Api) -> None:
    plain = api.as_token("plain@pve!tok")
    await api.grant("plain@pve", "/", "VM.Audit", "VM.PowerMgmt")
    await api.grant("plain@pve", "/vms/900", "VM.Audit")
    refused = await plain("POST", "/nodes/pve/lxc/900/status/start")
    assert refused.refusal == (403, "Permission check failed (/vms/900, VM.PowerMgmt)")
    assert (await plain("POST", "/nodes/pve/lxc/901/status/stop")).status == 500
    await api("PUT", "/access/acl", path="/vms/900", roles="NoAccess", users="plain@pve")
    assert (await plain("GET", "/nodes/pve/lxc/900/config")).status == 403
    assert await plain.get("/nodes/pve/lxc") == []


async def test_an_entry_without_propagation_stays_where_it_is(api: Api) -> None:
    await api("PUT", "/access/acl", path="/vms", roles="PVEVMAdmin", users="plain@pve", propagate=0)
    plain = api.as_token("plain@pve!tok")
    assert (await plain("GET", "/nodes/pve/lxc/900/config")).status == 403


async def test_a_right_on_a_pool_reaches_its_members(api: Api) -> None:
    plain = api.as_token("plain@pve!tok")
    await api.grant("plain@pve", "/pool/lab", "VM.Audit")
    assert (await plain("GET", "/nodes/pve/lxc/900/config")).status == 403
    await api("PUT", "/pools/lab", vms="900")
    assert (await plain.config(900))["hostname"] == "old"


async def test_a_users_life(api: Api) -> None:
    new = {"userid": "new@pve", "password": "long-enough", "comment": "hi", "email": "a@b.c"}
    assert (await api("POST", "/access/users", **new)).data is None
    again = await api("POST", "/access/users", **new)
    assert again.refusal == (500, "create user failed: user 'new@pve' already exists")
    login = {"username": "new@pve", "password": "long-enough"}
    nobody = api.with_headers({})
    assert (await nobody("POST", "/access/ticket", **login)).status == 200
    read = await api.get("/access/users/new@pve")
    assert (read["comment"], read["enable"], read["tokens"]) == ("hi", 1, {})
    assert (await api("PUT", "/access/users/new@pve", enable=0)).data is None
    assert (await nobody("POST", "/access/ticket", **login)).status == 401
    await api.grant("new@pve", "/vms", "VM.Audit")
    assert (await api("DELETE", "/access/users/new@pve")).data is None
    rows = await api.get("/access/acl")
    assert [row for row in rows if row["ugid"] == "new@pve"] == []
    assert "new@pve" not in [row["userid"] for row in await api.get("/access/users")]


async def test_a_tokens_life(api: Api) -> None:
    path = "/access/users/admin@pve/token/ci"
    made = (await api("POST", path, privsep=0, comment="for ci")).data
    assert made["full-tokenid"] == "admin@pve!ci"
    assert made["info"] == {"privsep": 0, "expire": 0, "comment": "for ci"}
    headers = {"Authorization": f"PVEAPIToken=admin@pve!ci={made['value']}"}
    token = api.with_headers(headers)
    assert (await token("GET", "/version")).status == 200
    assert (await api("POST", path)).errors == {"tokenid": "Token already exists."}
    assert "value" not in await api.get(path)
    assert (await api("PUT", path, expire=1)).data["expire"] == 1
    assert (await token("GET", "/version")).status == 401
    assert (await api("DELETE", path)).data is None
    gone = await api("GET", path)
    assert gone.refusal == (500, "no such token 'ci' for user 'admin@pve'")


async def test_a_role_is_made_changed_and_deleted_with_its_entries(api: Api) -> None:
    assert (await api("POST", "/access/roles", roleid="R", privs="VM.Audit")).data is None
    assert (await api("PUT", "/access/roles/R", privs="VM.Console", append=1)).data is None
    assert await api.get("/access/roles/R") == {"VM.Audit": 1, "VM.Console": 1}
    await api("PUT", "/access/acl", path="/vms", roles="R", users="plain@pve")
    assert (await api("DELETE", "/access/roles/R")).data is None
    assert [row for row in await api.get("/access/acl") if row["roleid"] == "R"] == []
    built_in = await api("DELETE", "/access/roles/PVEAdmin")
    assert built_in.reason == (
        "delete role failed: auto-generated role 'PVEAdmin' cannot be modified"
    )
    bad = await api("POST", "/access/roles", roleid="S", privs="VM.Fly")
    assert bad.reason == "create role failed: invalid privilege 'VM.Fly'"


async def test_only_who_may_changes_users_and_rights(api: Api) -> None:
    plain = api.with_headers(api.ticket_headers("plain@pve"))
    acl = await plain("PUT", "/access/acl", path="/vms/900", roles="PVEAdmin", users="plain@pve")
    assert acl.refusal == (
        403,
        "Permission check failed (/vms/900, Permissions.Modify|VM.Allocate)",
    )
    assert (await plain("POST", "/access/users", userid="x@pve")).status == 403
    assert (await plain("POST", "/access/users/admin@pve/token/x")).refusal == (
        403,
        "Permission check failed",
    )
    assert (await plain("POST", "/access/users/plain@pve/token/mine")).status == 200
    assert [row["userid"] for row in await plain.get("/access/users")] == ["plain@pve"]


async def test_a_password_is_changed_by_its_owner_who_knows_the_old_one(api: Api) -> None:
    admin = api.with_headers(api.ticket_headers("admin@pve"))
    change = {"userid": "admin@pve", "password": "new-password"}
    assert (await admin("PUT", "/access/password", **change)).status == 401
    confirmed = change | {"confirmation_password": "admin-password"}
    assert (await admin("PUT", "/access/password", **confirmed)).data is None
    assert credentials.password(api.core.paths, "admin@pve") == "new-password"


async def test_secrets_that_the_world_leaves_open_are_made_and_kept(
    api: Api, paths: LabPaths
) -> None:
    secret = credentials.token_secret(paths, "admin@pve!full")
    headers = {"Authorization": f"PVEAPIToken=admin@pve!full={secret}"}
    assert (await api.with_headers(headers)("GET", "/version")).status == 200
    assert paths.proxmox_state.stat().st_mode & 0o777 == 0o600
    with pytest.raises(LabError, match="admin@pve!nope: is no token of lab unit"):
        credentials.token_secret(paths, "admin@pve!nope")


OPTION_RIGHTS = [
    ({"cores": 2}, "/vms/111, VM.Config.CPU"),
    ({"memory": 512}, "/vms/111, VM.Config.Memory"),
    ({"hostname": "h"}, "/vms/111, VM.Config.Network"),
    ({"net0": "name=eth0,bridge=vmbr0"}, "/sdn/zones/localnetwork/vmbr0, SDN.Use"),
    ({"net0": "name=eth0,bridge=vmbr0,tag=20"}, "/sdn/zones/localnetwork/vmbr0/20, SDN.Use"),
    ({"rootfs": "local-lvm:4"}, "/storage/local-lvm, Datastore.AllocateSpace"),
    ({"tags": "a"}, "/vms/111, VM.Config.Options"),
    ({"onboot": 1}, "/vms/111, VM.Config.Options"),
    ({"unprivileged": 0}, "/, Sys.Modify"),
    ({"ha_managed": 1}, "/, Sys.Console"),
]


@pytest.mark.parametrize(("option", "missing"), OPTION_RIGHTS)
async def test_each_option_of_a_create_asks_for_its_right(
    api: Api, option: dict[str, Any], missing: str
) -> None:
    every = {
        "/vms/111": "VM.Allocate VM.Config.CPU VM.Config.Memory VM.Config.Network "
        "VM.Config.Disk VM.Config.Options",
        "/sdn/zones/localnetwork/vmbr0": "SDN.Use",
        "/sdn/zones/localnetwork/vmbr0/20": "SDN.Use",
        "/storage/local-lvm": "Datastore.AllocateSpace",
        "/storage/local": "Datastore.Audit",
        "/": "Sys.Modify Sys.Console",
    }
    path, _, privilege = missing.partition(", ")
    for where, names in every.items():
        kept = [name for name in names.split() if (where, name) != (path, privilege)]
        await api.grant("plain@pve", where, *kept or ["Mapping.Use"])
    plain = api.as_token("plain@pve!tok")
    base: dict[str, Any] = {
        "vmid": 111,
        "ostemplate": "local:vztmpl/x.tar.zst",
        "storage": "local-lvm",
    }
    answer = await plain("POST", "/nodes/pve/lxc", **(base | option))
    assert answer.refusal == (403, f"Permission check failed ({missing})")
    await api.grant("plain@pve", path, *every[path].split())
    answer = await plain("POST", "/nodes/pve/lxc", **(base | option))
    if option != {"ha_managed": 1}:  # which the lab does not offer
        assert answer.status == 200


async def test_a_create_without_allocate_is_refused_without_detail(api: Api) -> None:
    plain = api.as_token("plain@pve!tok")
    answer = await plain("POST", "/nodes/pve/lxc", vmid=111, ostemplate="local:vztmpl/x.tar")
    assert answer.refusal == (403, "Permission check failed")


ROOT_ONLY = [
    (
        {"features": "nesting=1", "unprivileged": 0},
        "changing feature flags for privileged container is only allowed for root@pam",
    ),
    (
        {"features": "nesting=1,keyctl=1"},
        "changing feature flags (except nesting) is only allowed for root@pam",
    ),
    (
        {"features": "keyctl=0"},
        "changing feature flags (except nesting) is only allowed for root@pam",
    ),
    ({"dev0": "/dev/net/tun"}, "configuring device passthrough is only allowed for root@pam"),
    (
        {"rootfs": "local-lvm:4", "mp0": "/srv,mp=/srv"},
        "mount point type bind is only allowed for root@pam",
    ),
    (
        {"rootfs": "local-lvm:4", "mp0": "/dev/sda,mp=/srv"},
        "mount point type device is only allowed for root@pam",
    ),
    (
        {"hookscript": "local:snippets/a"},
        "changing the hookscript is only allowed for root@pam",
    ),
]


@pytest.mark.parametrize("token", ["root@pam!auto", "admin@pve!full"])
@pytest.mark.parametrize(("options", "text"), ROOT_ONLY)
async def test_what_only_root_may_no_token_may_not_even_roots(
    api: Api, token: str, options: dict[str, Any], text: str
) -> None:
    await api("PUT", "/access/users/root@pam/token/auto", privsep=0)
    base: dict[str, Any] = {"vmid": 111, "ostemplate": "local:vztmpl/x.tar", "storage": "local-lvm"}
    answer = await api.as_token(token)("POST", "/nodes/pve/lxc", **(base | options))
    assert answer.refusal == (403, f"Permission check failed ({text})")


async def test_root_itself_may_set_features_and_devices(api: Api, guests: GuestsDouble) -> None:
    assert await api.create(features="nesting=1,keyctl=1", dev0="/dev/null,mode=0666") == "OK"
    assert await api.task("POST", "/nodes/pve/lxc/111/status/start") == "OK"
    device = guests.running["ct-111"].devices[0]
    assert (device.path, device.mode) == ("/dev/null", 0o666)


async def test_a_template_by_path_is_for_root(api: Api) -> None:
    base: dict[str, Any] = {"vmid": 111, "ostemplate": "/tmp/x.tar.gz", "storage": "local-lvm"}
    answer = await api.as_token("admin@pve!full")("POST", "/nodes/pve/lxc", **base)
    assert answer.status == 500
    assert answer.reason.startswith("Only root can pass arbitrary filesystem paths. at ")


async def test_skipping_locks_is_for_root(api: Api) -> None:
    token = api.as_token("admin@pve!full")
    for verb in ("start", "stop"):
        answer = await token("POST", f"/nodes/pve/lxc/900/status/{verb}", skiplock=1)
        assert answer.errors == {"skiplock": "Only root may use this option."}


async def test_a_change_of_nesting_needs_allocate_and_may_not_name_other_flags(api: Api) -> None:
    assert await api.create(features="nesting=1") == "OK"
    token = api.as_token("admin@pve!full")
    path = "/nodes/pve/lxc/111/config"
    everything = await token("PUT", path, features="nesting=0,keyctl=0,fuse=0,mknod=0")
    assert everything.reason == (
        "Permission check failed "
        "(changing feature flags (except nesting) is only allowed for root@pam)"
    )
    assert (await token("PUT", path, features="nesting=0")).data is None
    await api.grant("plain@pve", "/vms/111", "VM.Config.Options")
    plain = await api.as_token("plain@pve!tok")("PUT", path, features="nesting=1")
    assert plain.reason == "Permission check failed (/vms/111, VM.Allocate)"


async def test_env_is_hidden_from_who_may_only_look(api: Api) -> None:
    assert (await api("PUT", "/nodes/pve/lxc/900/config", env="A=b")).data is None
    assert (await api.config(900))["env"] == "A=b"
    await api.grant("plain@pve", "/vms", "VM.Audit")
    assert "env" not in await api.as_token("plain@pve!tok").config(900)


async def test_tasks_of_others_are_hidden_without_audit(api: Api) -> None:
    upid = (await api("POST", "/nodes/pve/lxc/900/status/start")).data
    await asyncio.wait_for(api.core.tasks.wait(upid), 5)
    plain = api.as_token("plain@pve!tok")
    refused = await plain("GET", f"/nodes/pve/tasks/{upid}/status")
    assert refused.refusal == (403, "Permission check failed (/nodes/pve, Sys.Audit)")
    assert await plain.get("/nodes/pve/tasks") == []
    stopped = await plain("DELETE", f"/nodes/pve/tasks/{upid}")
    assert stopped.refusal == (403, "Permission check failed (/nodes/pve, Sys.Modify)")


async def test_a_user_sees_the_tasks_of_his_tokens_and_a_token_only_its_own(api: Api) -> None:
    await api.grant("plain@pve", "/vms", "VM.PowerMgmt")
    user = api.with_headers(api.ticket_headers("plain@pve"))
    token = api.as_token("plain@pve!tok")
    upids = [(await who("POST", "/nodes/pve/lxc/900/status/start")).data for who in (user, token)]
    for upid in upids:
        await asyncio.wait_for(api.core.tasks.wait(upid), 5)
    of_user, of_token = (f"/nodes/pve/tasks/{upid}" for upid in upids)
    assert {row["upid"] for row in await user.get("/nodes/pve/tasks")} == set(upids)
    assert [row["upid"] for row in await token.get("/nodes/pve/tasks")] == [upids[1]]
    for call in (f"{of_user}/status", f"{of_user}/log"):
        assert (await token("GET", call)).status == 403
    assert (await user("DELETE", of_token)).data is None
    assert (await token("DELETE", of_user)).status == 403
