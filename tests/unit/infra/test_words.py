"""What a person reads before a container changes, or is lost."""

import pytest

from infra.guard.described import Described, declared, described
from infra.guard.destruction import Situation, judge, judge_update
from infra.guard.impact import EFFECTS, as_it_was_read, impact
from infra.guard.mark import Mark, marks_in
from infra.guard.ownership import (
    refusal_by_what_is_there,
    refusal_to_create,
    refusal_to_touch,
)
from infra.node.occupant import Occupant
from infra.settings.models import Container
from tests.unit.infra.recording import CHAT, settings_of, stack

MARK = Mark("berth", "prod", "chat", "k7q2m9xw")
TAG = "berth+berth+prod+chat+k7q2m9xw"


def chat() -> Container:
    return settings_of(stack()).containers["chat"]


def now(**changes: object) -> Described:
    """The container of these tests as it is, but for `changes`."""
    return declared("chat", chat(), [TAG], ["ssh-ed25519 AAAA"], None) | changes


def test_the_mark_has_its_written_down_form() -> None:
    assert str(MARK) == TAG
    assert str(Mark("Berth", "Prod", "chat", "k7q2m9xw")) == TAG


def test_a_mark_is_read_back_in_four_parts_and_other_tags_are_not_marks() -> None:
    tags = ["web", TAG, "berth+incomplete", "berth+a_b.c+prod-2+db+x1234567"]
    assert marks_in(tags) == [MARK, Mark("a_b.c", "prod-2", "db", "x1234567")]


def test_an_interrupted_creation_is_taken_up_again() -> None:
    assert refusal_to_create("chat", chat(), MARK, Occupant("it", ("web", TAG))) is None


@pytest.mark.parametrize(
    ("there", "text"),
    [
        (
            Occupant("the virtual machine db on node pve", ("web",)),
            (
                "chat: VM id 111 is taken by the virtual machine db on node pve; nothing was changed. "
                "Give hosts/chat/container/vm_id a free id"
            ),
        ),
        (
            Occupant("a guest that these credentials may not look at", None),
            (
                "chat: VM id 111 is taken by a guest that these credentials may not look at; "
                "nothing was changed. Give hosts/chat/container/vm_id a free id"
            ),
        ),
        (
            Occupant("the container chat on node pve", ("berth+berth+prod+chat+other123",)),
            (
                "chat: VM id 111 is taken by the container chat on node pve, and belongs to host chat "
                "of stack prod, project berth (id other123); nothing was changed. "
                "Give hosts/chat/container/vm_id a free id"
            ),
        ),
        (
            Occupant("the container talk on node pve", ("berth+berth+prod+talk+k7q2m9xw",)),
            (
                "chat: VM id 111 is taken by the container talk on node pve, which is the host talk "
                "of this stack. If chat is its new name, add was: talk to hosts/chat/container; "
                "if not, give it an id that is free"
            ),
        ),
    ],
)
def test_a_taken_vm_id_is_refused_and_its_owner_named(there: Occupant, text: str) -> None:
    assert refusal_to_create("chat", chat(), MARK, there) == text


def test_a_container_of_ours_on_another_node_is_not_waited_for_on_this_one() -> None:
    there = Occupant("the container chat on node pve2", (TAG,), "pve2")
    assert refusal_to_create("chat", chat(), MARK, there) == (
        "chat: VM id 111 is taken by the container chat on node pve2, which is the one of this "
        "stack; nothing was changed. Say node: pve2 in hosts/chat/container, or move it to pve in "
        "Proxmox"
    )
    said = refusal_by_what_is_there("chat", "pve", 111, there)
    assert said is not None
    assert said.startswith(
        "chat: VM id 111 is that of the container chat on node pve2, not of a container on pve"
    )


def test_a_virtual_machine_with_our_tag_is_no_container_of_ours() -> None:
    there = Occupant("the virtual machine db on node pve", (TAG,), "pve", is_container=False)
    made = refusal_to_create("chat", chat(), MARK, there)
    assert made is not None
    assert "VM id 111 is taken by the virtual machine db on node pve" in made
    assert refusal_by_what_is_there("chat", "pve", 111, there) is not None


def test_a_container_that_may_not_be_looked_at_is_left_alone() -> None:
    said = refusal_by_what_is_there("chat", "pve", 111, Occupant("a guest", None))
    assert said is not None
    assert "VM.Audit on /vms/111" in said


def test_a_container_that_lost_its_mark_is_left_alone() -> None:
    assert refusal_to_touch("chat", 111, [MARK], ("web", TAG)) is None
    assert refusal_to_touch("chat", 111, [MARK], ("web",)) == (
        f"chat: container 111 no longer carries the tag {TAG} of this stack, so it may be somebody "
        "else's; nothing was done to it. If it is this one, give it the tag again; if it is not, "
        "let the stack forget its own: pulumi state delete (docs/proxmox.md)"
    )


def test_a_reboot_is_said_in_words() -> None:
    assert impact("chat", now(memory=2048), now(memory=4096)) == [
        "chat: reboots container 111 (memory 2048 -> 4096)"
    ]


def test_a_container_that_somebody_stopped_is_said_to_start() -> None:
    assert impact("chat", now(started=False), now()) == [
        "chat: starts container 111, which somebody stopped"
    ]


def test_settings_that_do_not_reboot_say_nothing_of_the_kind() -> None:
    old, new = now(cores=1, tags=TAG), now(cores=2, tags=f"{TAG}, web")
    assert impact("chat", old, new) == [
        f"chat: changes container 111 in place (cores 1 -> 2, tags {TAG} -> {TAG}, web)"
    ]


def test_what_reboots_and_what_does_not_are_told_apart() -> None:
    assert impact("chat", now(cores=1, vlan=None), now(cores=2, vlan=20)) == [
        "chat: reboots container 111 (vlan none -> 20)",
        "chat: changes container 111 in place (cores 1 -> 2)",
    ]


def situation(**changes: object) -> Situation:
    values: dict[str, object] = {
        "host": "chat",
        "old": now(),
        "new": now(),
        "settled": False,
        "destroying": False,
        "may_replace": (),
        "may_remove": (),
    }
    return Situation(**(values | changes))  # type: ignore[arg-type]


def test_a_replacement_is_refused_with_the_property_and_the_setting_that_allows_it() -> None:
    verdict = judge(situation(new=now(vm_id=112, cores=4)))
    assert not verdict.allowed
    assert verdict.text == (
        "chat: would destroy container 111 and make it anew (vm_id 111 -> 112); everything on its "
        "disk is lost. To keep it, take the change back. To allow it, add chat to berth:replace"
    )


def test_a_replacement_is_allowed_for_the_host_that_is_named_only() -> None:
    assert judge(situation(new=now(vm_id=112), may_replace=("chat",))).allowed
    assert not judge(
        situation(new=now(vm_id=112), may_replace=("web",), may_remove=("chat",))
    ).allowed


def test_a_forced_replacement_is_told_from_a_destroy() -> None:
    verdict = judge(situation())
    assert not verdict.allowed
    assert "none of its settings changed: asked for with --replace" in verdict.text


def test_a_removal_is_refused_until_it_is_allowed_by_name() -> None:
    refused = judge(situation(new=None, may_replace=("chat",)))
    assert not refused.allowed
    assert refused.text == (
        "chat is no longer one of berth:hosts, which would destroy container 111 with its 8 GiB "
        "disk on local-lvm; everything on its disk is lost. To allow it, add chat to berth:remove. "
        "If it has a new name, say was: chat there"
    )
    assert judge(situation(new=None, may_remove=("chat",))).allowed


@pytest.mark.parametrize("new", [None, "declared"])
def test_a_destroy_goes_through_whatever_was_edited(new: object) -> None:
    verdict = judge(situation(new=now(vm_id=112) if new else None, destroying=True))
    assert verdict.allowed
    assert verdict.text == (
        "chat: destroys container 111 with its 8 GiB disk on local-lvm; "
        "everything on its disk is lost"
    )


def test_a_disk_that_shrinks_counts_as_a_replacement() -> None:
    assert judge_update("chat", now(disk=24), now(disk=30), as_root=False) is None
    assert judge_update("chat", now(disk=30), now(disk=24), as_root=False) == (
        "chat: would destroy container 111 and make it anew (disk 30 -> 24: a disk cannot shrink); "
        "everything on its disk is lost. To keep it, take the change back. "
        "To allow it, add chat to berth:replace"
    )


def test_a_permission_to_replace_never_turns_growth_into_a_loss() -> None:
    verdict = judge(situation(old=now(disk=24), new=now(disk=30), may_replace=("chat",)))
    assert not verdict.allowed
    assert "take chat out there, and it grows in place" in verdict.text


def test_no_text_shows_a_secret_that_changed() -> None:
    new = declared("chat", chat(), [TAG], ["ssh-ed25519 AAAA"], "hunter2")
    text = judge(situation(old=now(), new=new)).text + repr(new)
    assert "(root_password)" in text
    assert "hunter2" not in text


def test_what_the_engine_keeps_and_what_is_declared_are_the_same_words() -> None:
    kept = {
        "nodeName": "pve",
        "vmId": 111.0,
        "unprivileged": True,
        "startOnBoot": True,
        "tags": [TAG],
        "cpu": {"cores": 1.0},
        "memory": {"dedicated": 1024.0, "swap": 512.0},
        "disk": {"datastoreId": "local-lvm", "size": 8.0},
        "features": {"nesting": True},
        "networkInterfaces": [{"name": "eth0", "bridge": "vmbr0"}],
        "operatingSystem": {"templateFileId": CHAT["template"]["volume"], "type": "debian"},
        "initialization": {
            "hostname": "chat",
            "ipConfigs": [{"ipv4": {"address": CHAT["address"], "gateway": CHAT["gateway"]}}],
            "userAccount": {"keys": ["ssh-ed25519 AAAA"]},
        },
    }
    assert described(kept) == now()
    assert set(now()) == {*EFFECTS, "started"}


def test_a_container_that_was_taken_up_is_compared_with_what_it_is() -> None:
    seen = now(memory=512, vlan=0, pool="", nameservers="", keys=None, start_order=0)
    old = as_it_was_read(seen, now(memory=2048))
    assert impact("chat", old, now(memory=2048)) == [
        "chat: reboots container 111 (memory 512 -> 2048)"
    ]
