"""Before anything is made, changed or deleted the node is asked whose it is, and what comes after.

The node is a double that knows guests by their ids; the engine's calls are made by hand.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest

from infra import last_run
from infra.guard import guard, hooks, survey
from infra.guard.guard import Guard
from infra.guard.survey import RefusedError
from infra.node.client import ApiError, Credentials
from tests.unit.infra.recording import PUBLIC_KEY, container, settings_of, stack
from tests.unit.infra.test_facts import Answers

TAG = "berth+berth+prod+chat+k7q2m9xw"
FOREIGN = {"hostname": "db", "tags": "somebody-elses"}
OLD = {"nodeName": "pve", "vmId": 111.0, "tags": [TAG], "disk": {"size": 8.0}}
STATE_PROVIDER = {"endpoint": "https://of-the-state:8006/", "apiToken": "of the state"}


@dataclass
class Node:
    """Not a Proxmox: guests by id, each its configuration; everything is allowed."""

    guests: dict[int, dict[str, Any]] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked_at: list[str] = field(default_factory=list)

    def connect(self, endpoint: str, _credentials: Credentials, *, insecure: bool) -> "Node":
        self.asked_at.append(f"{endpoint} {insecure}")
        return self

    def get(self, path: str, /, **query: str | int) -> Any:
        if path == "cluster/nextid":
            if query["vmid"] in self.guests:
                raise ApiError(400, f"vmid: VM {query['vmid']} already exists")
            return query["vmid"]
        if path.endswith("/config"):
            return self.guests[int(path.split("/")[-2])]
        if path == "cluster/resources":
            return []
        if path == "access/permissions":
            return {query["path"]: dict.fromkeys(ALL, 1)}
        return Answers().get(path)


ALL = [
    *("VM.Allocate", "VM.Audit", "VM.Config.CPU", "VM.Config.Disk", "VM.Config.Memory"),
    *("VM.Config.Network", "VM.Config.Options", "VM.PowerMgmt"),
    *("Datastore.AllocateSpace", "SDN.Use"),
]


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    made = Node()

    async def resources(_project: str, _stack: str) -> dict[str, dict[str, Any]]:
        return made.resources

    monkeypatch.setattr(survey, "NodeClient", made.connect)
    monkeypatch.setattr(last_run, "resources", resources)
    monkeypatch.setattr(last_run, "made", lambda _project, _stack: made.resources)
    monkeypatch.setattr(hooks, "bind_containers", lambda _callbacks: None)
    monkeypatch.setattr(guard, "declare_teardown", lambda _callback, **_: None)
    return made


def guarding(hosts: Mapping[str, Any], last_id: str | None = None, **keys: Any) -> Guard:
    settings = settings_of(stack(hosts, **keys))
    keys_of = pulumi.Output.from_input([PUBLIC_KEY])
    return Guard(settings, keys_of, last_id, project="berth", stack="prod")


def said_by(hook: Callable[..., Any], name: str, old: Mapping[str, Any]) -> str:
    """The refusal of a hook; empty where it lets the engine go on."""
    args = pulumi.ResourceHookArgs("urn", "111", name, "type", old_inputs=old, new_inputs=old)
    try:
        asyncio.get_event_loop().run_until_complete(hook(args))
    except RefusedError as refused:
        return str(refused)
    return ""


def test_nothing_is_lost_for_a_new_id_that_is_taken(node: Node) -> None:
    it = guarding({"chat": container(vm_id=112)}, replace=["chat"])
    node.guests = {111: {"tags": TAG}, 112: FOREIGN}
    said = said_by(it.before_delete, "chat-container", OLD)
    assert said.startswith("chat: VM id 112 is taken by the container db on node pve;")
    del node.guests[112]
    assert said_by(it.before_delete, "chat-container", OLD) == ""


def test_a_stranger_under_a_lost_id_survives_a_destroy_of_a_stack_without_hosts(
    node: Node,
) -> None:
    it = guarding({}, proxmox=None)
    node.resources = {"urn:pulumi:prod::berth::pulumi:providers:proxmoxve::px": STATE_PROVIDER}
    node.guests = {111: FOREIGN}
    args: Any = None
    asyncio.get_event_loop().run_until_complete(it.on_destroy(args))
    said = said_by(it.before_delete, "chat-container", OLD)
    assert said.startswith(f"chat: container 111 no longer carries the tag {TAG}")
    assert node.asked_at == ["https://of-the-state:8006/ False"]


def test_a_destroy_that_is_refused_forgets_no_step(node: Node) -> None:
    it = guarding({"chat": container()})
    node.resources = {"urn::berth:infra:Container$x::chat-container": OLD}
    node.guests = {111: FOREIGN}
    args: Any = None
    asyncio.get_event_loop().run_until_complete(it.on_destroy(args))
    said = said_by(it.before_step_delete, "chat-login", {"triggers": ["111"]})
    assert said.startswith(f"chat: container 111 no longer carries the tag {TAG}")
    node.guests = {111: {"tags": TAG}}
    assert said_by(it.before_step_delete, "chat-login", {"triggers": ["111"]}) == ""


def test_what_a_refresh_found_under_our_id_is_not_ours_for_that(node: Node) -> None:
    theirs = TAG.replace("k7q2m9xw", "an0ther1")
    it = guarding({"chat": container()})
    node.guests = {111: {"tags": theirs}}
    args: Any = None
    asyncio.get_event_loop().run_until_complete(it.on_destroy(args))
    for hook in (it.before_update, it.before_delete):
        said = said_by(hook, "chat-container", {**OLD, "tags": [theirs]})
        assert said.startswith(f"chat: container 111 no longer carries the tag {TAG}")


def test_a_stack_whose_id_was_edited_can_still_be_destroyed(node: Node) -> None:
    before = TAG.replace("k7q2m9xw", "bef0re00")
    node.guests = {111: {"tags": before}}
    it = guarding({"chat": container()}, last_id="bef0re00")
    args: Any = None
    asyncio.get_event_loop().run_until_complete(it.on_destroy(args))
    assert said_by(it.before_delete, "chat-container", {**OLD, "tags": [before]}) == ""


def test_a_container_is_not_removed_because_another_says_it_was_called_so(node: Node) -> None:
    node.guests = {111: {"tags": TAG}}
    node.resources = {
        "urn::berth:infra:Container$x::chat-container": OLD,
        "urn::berth:infra:Container$x::talk-container": {**OLD, "vmId": 112.0},
    }
    it = guarding({"talk": {"container": {**container(vm_id=112)["container"], "was": "chat"}}})
    it._settled.add("talk")
    said = said_by(it.before_delete, "chat-container", OLD)
    assert said.startswith(
        "chat is no longer one of berth:hosts, which would destroy container 111"
    )
    assert "add chat to berth:remove" in said


def test_a_container_that_is_gone_is_named_with_the_way_on(node: Node) -> None:
    it = guarding({"chat": container()}, remove=["talk"])
    gone = "container 111 is gone from Proxmox; nothing was changed. Let the stack notice it:"
    assert gone in said_by(it.before_update, "chat-container", OLD)
    assert gone in said_by(it.before_delete, "talk-container", OLD)


def test_steps_on_a_container_that_is_gone_are_let_go(node: Node) -> None:
    it = guarding({"chat": container()})
    node.resources = {"urn::berth:infra:Container$x::chat-container": OLD}
    step = {"triggers": ["111", "BC:24:11:00:00:01"]}
    node.guests = {111: {"tags": TAG}}
    assert "add chat to berth:replace" in said_by(it.before_step_delete, "chat-login", step)
    node.guests = {}
    assert said_by(it.before_step_delete, "chat-login", step) == ""


def test_a_container_whose_name_an_existing_host_has_now_can_be_removed(node: Node) -> None:
    there = {"chat": {"existing": {"address": "192.168.1.111", "host_key": PUBLIC_KEY}}}
    node.guests = {111: {"tags": TAG}}
    said = said_by(guarding(there).before_delete, "chat-container", OLD)
    assert said.startswith("chat is an existing host now, which would destroy container 111")
    assert "add chat to berth:remove" in said
    it = guarding(there, remove=["chat"])
    assert said_by(it.before_delete, "chat-container", OLD) == ""


def test_what_stands_beside_a_secret_is_spoken_of_all_the_same(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = guarding({"chat": container()})
    node.guests = {111: {"tags": TAG}}
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", said.append)

    def inputs(hostname: str) -> dict[str, Any]:
        account = {"keys": [PUBLIC_KEY], "password": "hunter2"}
        start = {"hostname": hostname, "userAccount": account}
        return OLD | {"initialization": pulumi.Output.secret(start)}

    args = pulumi.ResourceHookArgs(
        "urn", "111", "chat-container", "type", inputs("other"), inputs("chat")
    )
    asyncio.get_event_loop().run_until_complete(it.before_update(args))
    assert said == ["chat: reboots container 111 (hostname chat -> other)"]
