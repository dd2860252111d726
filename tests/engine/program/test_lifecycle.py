"""A container's life with the real engine, the real provider and the lab's Proxmox."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.labs import StackFile, TestLab, container, stack_file

Make = Callable[[Mapping[str, Any]], StackFile]
UP = ("up", "--yes", "--skip-preview")


def config(lab: TestLab, vm_id: int) -> dict[str, Any]:
    """The container as Proxmox has it."""
    found: dict[str, Any] = lab.api("GET", f"/nodes/pve/lxc/{vm_id}/config")
    return found


def test_a_container_lives_from_creation_to_destroy(lab: TestLab, make_stack: Make) -> None:
    stack = make_stack({"one": container(701, 71)})
    preview = lab.pulumi(stack, "preview").text
    assert "one: creates container 701 on node pve" in preview
    assert 701 not in lab.guests()

    lab.pulumi(stack, *UP)
    made = config(lab, 701)
    assert made["tags"] == "berth+berth+test+one+t3stt3st"
    assert made["features"] == "nesting=1"
    assert (made["unprivileged"], made["onboot"], made["hostname"]) == (1, 1, "one")

    unchanged = lab.pulumi(stack, "preview", "--expect-no-changes").text
    assert "container 701" not in unchanged

    stack.container("one").update(cores=2, tags=["web"])
    stack.write()
    assert (
        "one: changes container 701 in place (cores 1 -> 2, "
        "tags berth+berth+test+one+t3stt3st -> berth+berth+test+one+t3stt3st, web)"
    ) in lab.pulumi(stack, *UP).text
    assert config(lab, 701)["cores"] == 2

    stack.container("one").update(memory_mb=768)
    stack.write()
    assert "one: reboots container 701 (memory 512 -> 768)" in lab.pulumi(stack, "preview").text
    lab.pulumi(stack, *UP)
    assert config(lab, 701)["memory"] == 768

    lost = lab.pulumi(stack, "destroy", "--run-program", "--yes").text
    assert (
        "one: destroys container 701 with its 4 GiB disk on local-lvm; "
        "everything on its disk is lost"
    ) in lost
    assert 701 not in lab.guests()


@pytest.fixture(scope="module")
def made(lab: TestLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StackFile, str]]:
    """A stack with one container, up, and what its `up` said."""
    stack = stack_file(tmp_path_factory.mktemp("made"), {"one": container(702, 72)})
    yield stack, lab.pulumi(stack, *UP, "--diff").text
    lab.remove_guests({702})


def test_a_disk_grows_in_place(lab: TestLab, made: tuple[StackFile, str]) -> None:
    stack, _ = made
    stack.container("one").update(disk_gb=6)
    stack.write()
    said = lab.pulumi(stack, *UP).text
    assert "one: changes container 702 in place (disk 4 -> 6)" in said
    assert "reboots" not in said
    assert "size=6G" in config(lab, 702)["rootfs"]


def test_what_was_changed_behind_our_back_is_put_right_after_a_refresh(
    lab: TestLab, made: tuple[StackFile, str]
) -> None:
    stack, _ = made
    lab.api("PUT", "/nodes/pve/lxc/702/config", cores=4)
    lab.pulumi(stack, "refresh", "--yes")
    assert "one: changes container 702 in place (cores 4 -> 1)" in lab.pulumi(stack, *UP).text
    assert config(lab, 702)["cores"] == 1


def test_no_secret_is_in_the_state_or_in_what_is_said(
    lab: TestLab, made: tuple[StackFile, str]
) -> None:
    stack, said = made
    state = lab.pulumi(stack, "stack", "export").text
    key = lab.paths.ssh_key.read_text().splitlines()[2]
    token = json.loads(lab.paths.proxmox_state.read_text())
    secrets = [key, *_secrets_of(token)]
    assert len(secrets) > 1
    assert [secret for secret in secrets if secret in said or secret in state] == []


def _secrets_of(value: object, name: str = "") -> list[str]:
    if isinstance(value, dict):
        return [s for key, item in value.items() for s in _secrets_of(item, key)]
    wanted = isinstance(value, str) and name in {"secret", "password"} and value
    return [str(value)] if wanted else []


def test_a_stack_knows_its_hosts_for_others(lab: TestLab, made: tuple[StackFile, str]) -> None:
    stack, _ = made
    output = lab.pulumi(stack, "stack", "output", "hosts", "--json").text
    assert json.loads(output[output.index("{") :]) == {
        "one": {"address": "192.168.1.72", "kind": "container", "port": 22, "user": "root"}
    }
