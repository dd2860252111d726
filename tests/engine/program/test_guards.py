"""No container is lost, or taken from somebody else, by accident; and a destroy goes through."""

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest

from tests.labs import TEMPLATE, StackFile, TestLab, container, stack_file

Make = Callable[[Mapping[str, Any]], StackFile]
UP = ("up", "--yes", "--skip-preview")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzVCyOwMoqZmgRMOZYNrRyzbaHMkdkSilxBvmst3NMt"
DESTROY_ONLY = {"BERTH_DESTROY_ONLY": "1"}
DESTROY = ("destroy", "--run-program", "--yes", "--skip-preview")
MARK = "berth+berth+test+one+t3stt3st"
STEADY_MARK = "berth+berth+test+one+st3ady01"


def host_key_learnt(lab: TestLab, stack: StackFile) -> str:
    """The id that the engine gave to the step that learnt the host key: each one is another."""
    state = lab.pulumi(stack, "stack", "export").text
    kept = json.loads(state[state.index("{") :])["deployment"]["resources"]
    return next(str(r["id"]) for r in kept if r["urn"].endswith("-host-key"))


def birth(lab: TestLab, vm_id: int) -> str:
    """What only a container that was made anew has another of: its network card's address."""
    config = lab.api("GET", f"/nodes/pve/lxc/{vm_id}/config")
    return str(config["net0"])


def resources(lab: TestLab, stack: StackFile) -> set[str]:
    """What the state has, but for bookkeeping: default providers, the teardown chain."""
    state = lab.pulumi(stack, "stack", "export").text
    kept = json.loads(state[state.index("{") :])["deployment"]["resources"]
    urns = {resource["urn"] for resource in kept}
    return {u for u in urns if not u.endswith("::default") and ":Teardown::" not in u}


def refused(lab: TestLab, stack: StackFile, *words: str, **more: Any) -> str:
    """What is said by a command that must fail, by default an `up` without a preview."""
    result = lab.pulumi(stack, *(words or UP), check=False, **more)
    assert result.code != 0
    assert words or any("hook" in line for line in result.text.splitlines())
    return result.text


def refused_at_preview_too(lab: TestLab, stack: StackFile, *lines: str) -> None:
    """Both say these lines."""
    for text in (refused(lab, stack, "preview"), refused(lab, stack)):
        assert [line for line in lines if line not in text] == [], text


@pytest.fixture
def stack(lab: TestLab, make_stack: Make) -> StackFile:
    """A stack with one container, 711, up."""
    made = make_stack({"one": container(711, 81)})
    lab.pulumi(made, *UP)
    return made


@pytest.fixture(scope="module")
def shared_stack(lab: TestLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackFile]:
    """One container, 710, for all tests that must not harm it."""
    directory = tmp_path_factory.mktemp("steady")
    made = stack_file(directory, {"one": container(710, 80)}, identity="st3ady01")
    lab.pulumi(made, *UP)
    yield made
    lab.remove_guests({710})


@pytest.fixture
def steady(lab: TestLab, shared_stack: StackFile) -> Iterator[StackFile]:
    """The shared stack; after the test its file is as it was, and 710 is the same container."""
    document, before = deepcopy(shared_stack.document), birth(lab, 710)
    yield shared_stack
    shared_stack.document = document
    shared_stack.write()
    assert birth(lab, 710) == before


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"vm_id": 712}, "vm_id 711 -> 712"),
        ({"disk_gb": 3}, "disk 4 -> 3: a disk cannot shrink"),
    ],
)
def test_a_replacement_is_refused_and_then_allowed_by_name(
    lab: TestLab, stack: StackFile, changes: dict[str, Any], cause: str
) -> None:
    before, learnt = birth(lab, 711), host_key_learnt(lab, stack)
    stack.container("one").update(changes)
    stack.write()
    would = f"one: would destroy container 711 and make it anew ({cause})"
    refused_at_preview_too(lab, stack, would, "add one to berth:replace")
    assert (birth(lab, 711), host_key_learnt(lab, stack)) == (before, learnt)

    stack.document["config"]["berth:replace"] = ["one"]
    stack.write()
    allowed = lab.pulumi(stack, "up", "--yes").text
    assert "one: destroys container 711 and makes it anew" in allowed
    assert birth(lab, stack.container("one")["vm_id"]) != before


def test_a_change_of_the_ssh_keys_never_makes_a_container_anew(
    lab: TestLab, steady: StackFile
) -> None:
    before = birth(lab, 710)
    config = steady.document["config"]
    config["berth:ssh"] = {"authorized_keys": [KEY]}
    config["berth:replace"] = ["one"]
    steady.write()
    said = refused(lab, steady)
    assert "one: container 710 need not be made anew to change the SSH keys" in said

    del config["berth:replace"]
    steady.write()
    lab.pulumi(steady, "up", "--yes")
    assert birth(lab, 710) == before
    assert KEY in lab.ssh("one", "cat /root/.ssh/authorized_keys").text


def test_a_forced_replacement_is_refused(lab: TestLab, steady: StackFile) -> None:
    urn = next(
        word
        for word in lab.pulumi(steady, "stack", "--show-urns").text.split()
        if word.endswith("::one-container")
    )
    said = refused(lab, steady, *UP, "--replace", urn)
    assert "asked for with --replace" in said
    assert 710 in lab.guests()


def test_a_removal_is_refused_and_then_allowed_by_name(lab: TestLab, stack: StackFile) -> None:
    learnt = host_key_learnt(lab, stack)
    del stack.hosts["one"]
    stack.write()
    would = "one is no longer one of berth:hosts, which would destroy container 711"
    refused_at_preview_too(lab, stack, would)
    assert host_key_learnt(lab, stack) == learnt
    assert 711 in lab.guests()

    stack.document["config"]["berth:remove"] = ["one"]
    stack.write()
    assert "one: removes container 711" in lab.pulumi(stack, "up", "--yes").text
    assert 711 not in lab.guests()


def test_a_renamed_host_is_refused_until_it_says_what_it_was_called(
    lab: TestLab, stack: StackFile
) -> None:
    before, learnt = birth(lab, 711), host_key_learnt(lab, stack)
    stack.hosts["two"] = stack.hosts.pop("one")
    stack.write()
    told = "which is the host one of this stack. If two is its new name, add was: one"
    refused_at_preview_too(lab, stack, told)

    stack.container("two")["was"] = "one"
    stack.write()
    lab.pulumi(stack, "up", "--yes")
    assert (birth(lab, 711), host_key_learnt(lab, stack)) == (before, learnt)
    config = lab.api("GET", "/nodes/pve/lxc/711/config")
    assert (config["hostname"], config["tags"]) == ("two", "berth+berth+test+two+t3stt3st")
    assert "container 711" not in lab.pulumi(stack, "preview", "--expect-no-changes").text


def test_a_renamed_host_with_another_id_is_not_made_a_second_time(
    lab: TestLab, stack: StackFile
) -> None:
    stack.hosts["two"] = container(714, 85)
    del stack.hosts["one"]
    stack.write()
    said = refused(lab, stack)
    assert "two: is not made while container 711 of this stack is that of one" in said
    assert 714 not in lab.guests()

    stack.document["config"]["berth:remove"] = ["one"]
    stack.write()
    lab.pulumi(stack, *UP)
    assert 714 in lab.guests() and 711 not in lab.guests()


def test_a_taken_vm_id_is_refused_before_anything_is_created(
    lab: TestLab, steady: StackFile, make_stack: Make
) -> None:
    other = make_stack({"mine": container(713, 83), "theirs": container(710, 84)})
    other.document["config"]["berth:id"] = "an0ther1"
    other.write()
    told = (
        "theirs: VM id 710 is taken by the container one on node pve, and belongs to host one of "
        "stack test, project berth (id st3ady01); nothing was changed"
    )
    refused_at_preview_too(lab, other, told)
    assert lab.api("GET", "/nodes/pve/lxc/710/config")["hostname"] == "one"


def test_a_container_that_lost_its_mark_is_not_touched(lab: TestLab, steady: StackFile) -> None:
    lab.api("PUT", "/nodes/pve/lxc/710/config", tags="somebody-elses")
    said = refused(lab, steady, *DESTROY)
    assert f"container 710 no longer carries the tag {STEADY_MARK}" in said
    assert 710 in lab.guests()
    lab.api("PUT", "/nodes/pve/lxc/710/config", tags=STEADY_MARK)


def test_a_refresh_does_not_make_the_container_of_another_checkout_ours(
    lab: TestLab, steady: StackFile
) -> None:
    theirs = STEADY_MARK.replace("st3ady01", "an0ther1")
    lab.api("PUT", "/nodes/pve/lxc/710/config", tags=theirs)
    lab.pulumi(steady, "refresh", "--yes", "--skip-preview")
    steady.container("one")["cores"] = 2
    steady.write()
    said = refused(lab, steady)
    said += refused(lab, steady, *DESTROY, environment=DESTROY_ONLY)
    assert said.count(f"container 710 no longer carries the tag {STEADY_MARK}") > 1
    config = lab.api("GET", "/nodes/pve/lxc/710/config")
    assert (config["tags"], config["cores"]) == (theirs, 1)
    lab.api("PUT", "/nodes/pve/lxc/710/config", tags=STEADY_MARK)
    lab.pulumi(steady, "refresh", "--yes", "--skip-preview")


def test_a_container_that_was_deleted_behind_our_back_is_made_again_with_all_its_steps(
    lab: TestLab, stack: StackFile
) -> None:
    learnt = host_key_learnt(lab, stack)
    lab.finish_task(lab.api("DELETE", "/nodes/pve/lxc/711", force=1))
    stack.container("one")["cores"] = 2
    stack.write()
    assert "one: container 711 is gone from Proxmox; nothing was changed" in refused(lab, stack)

    lab.pulumi(stack, "refresh", "--yes", "--skip-preview")
    lab.pulumi(stack, *UP)
    assert host_key_learnt(lab, stack) != learnt
    assert lab.ssh("one", "true").code == 0
    lab.pulumi(stack, "preview", "--expect-no-changes")


def test_a_stranger_under_a_lost_id_survives_a_destroy_of_an_emptied_stack(
    lab: TestLab, steady: StackFile
) -> None:
    learnt = host_key_learnt(lab, steady)
    lab.api("PUT", "/nodes/pve/lxc/710/config", tags="somebody-elses")
    steady.hosts.clear()
    steady.write()
    said = refused(lab, steady, *DESTROY)
    assert f"container 710 no longer carries the tag {STEADY_MARK}" in said
    assert host_key_learnt(lab, steady) == learnt
    assert 710 in lab.guests()
    lab.api("PUT", "/nodes/pve/lxc/710/config", tags=STEADY_MARK)


def test_nothing_is_lost_for_a_new_id_that_is_somebody_elses(
    lab: TestLab, steady: StackFile
) -> None:
    made = lab.api("POST", "/nodes/pve/lxc", vmid=718, ostemplate=TEMPLATE, hostname="theirs",
                   rootfs="local-lvm:1", unprivileged=1)  # fmt: skip
    assert lab.finish_task(made) == "OK"
    before, learnt = birth(lab, 710), host_key_learnt(lab, steady)
    steady.container("one")["vm_id"] = 718
    steady.document["config"]["berth:replace"] = ["one"]
    steady.write()
    assert "one: VM id 718 is taken by the container theirs on node pve" in refused(lab, steady)
    assert (birth(lab, 710), host_key_learnt(lab, steady)) == (before, learnt)
    lab.remove_guests({718})


def test_a_destroy_that_was_refused_goes_through_once_its_cause_is_gone(
    lab: TestLab, stack: StackFile
) -> None:
    learnt = host_key_learnt(lab, stack)
    lab.api("PUT", "/nodes/pve/lxc/711/config", tags="berth+other+prod+one+an0ther1")
    for environment in ({}, DESTROY_ONLY):
        said = refused(lab, stack, *DESTROY, environment=environment)
        assert "container 711 no longer carries the tag" in said
        assert 711 in lab.guests()
        assert host_key_learnt(lab, stack) == learnt

    lab.api("PUT", "/nodes/pve/lxc/711/config", tags=MARK)
    lab.pulumi(stack, *DESTROY)
    assert 711 not in lab.guests()


def test_elsewhere_a_plain_destroy_is_refused_before_anything_is_touched(
    lab: TestLab, steady: StackFile
) -> None:
    elsewhere = {"PULUMI_RUN_PROGRAM": "false"}
    said = refused(lab, steady, "destroy", "--yes", environment=elsewhere)
    assert "You must run with the `--run-program` flag" in said
    assert 710 in lab.guests()


def test_in_the_lab_a_plain_destroy_of_an_emptied_stack_is_one(
    lab: TestLab, stack: StackFile
) -> None:
    stack.hosts.clear()
    stack.write()
    said = lab.pulumi(stack, "destroy", "--yes").text
    assert "one: destroys container 711" in said
    assert 711 not in lab.guests()


def test_a_destroy_works_after_any_edit(lab: TestLab, make_stack: Make) -> None:
    stack = make_stack({"one": container(711, 81), "other": container(719, 89)})
    lab.pulumi(stack, *UP)
    stack.hosts["two"] = stack.hosts.pop("one")
    stack.container("other").update(vm_id=714, node="elsewhere", disk_gb=1)
    stack.write()
    said = lab.pulumi(stack, *DESTROY).text
    assert "one: destroys container 711" in said
    assert "other: destroys container 719" in said
    assert {711, 719} & lab.guests() == set()


def test_a_destroy_works_with_a_broken_stack_file(lab: TestLab, stack: StackFile) -> None:
    stack.document["config"]["berth:hosts"] = "broken"
    stack.write()
    refused(lab, stack, *DESTROY)
    assert 711 in lab.guests()
    said = lab.pulumi(stack, *DESTROY, environment=DESTROY_ONLY).text
    assert "one: destroys container 711" in said
    assert 711 not in lab.guests()
    stack.document["config"]["berth:hosts"] = {}
    stack.write()
