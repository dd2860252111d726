"""docs/container-changes.md: what each setting does to a running container, from the provider.

`BERTH_WRITE_DOCS=1` writes the page from what was seen.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.guard.impact import EFFECTS, Effect
from tests.conftest import REPO
from tests.labs import StackFile, TestLab, container, running_lab, stack_file

PAGE = REPO / "docs" / "container-changes.md"
VM_ID = 720
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzVCyOwMoqZmgRMOZYNrRyzbaHMkdkSilxBvmst3NMt"

# Setting of the stack file: the word for it in messages, and another value than container()'s.
CHANGES: dict[str, tuple[str, Any]] = {
    "cores": ("cores", 2),
    "tags": ("tags", ["web"]),
    "onboot": ("onboot", False),
    "start_order": ("start_order", 3),
    "disk_gb": ("disk", 5),
    "memory_mb": ("memory", 640),
    "swap_mb": ("swap", 128),
    "hostname": ("hostname", "renamed"),
    "nameservers": ("nameservers", ["192.168.1.1"]),
    "address": ("address", "192.168.1.97/24"),
    "gateway": ("gateway", "192.168.1.2"),
    "bridge": ("bridge", "vmbr1"),
    "vlan": ("vlan", 20),
    "nesting": ("nesting", False),
    "node": ("node", "pve2"),
    "vm_id": ("vm_id", VM_ID + 1),
    "storage": ("storage", "other-lvm"),
    "template": ("template", {"volume": "local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst"}),
    "template.system": (
        "system",
        {"volume": "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst", "system": "ubuntu"},
    ),
    "unprivileged": ("unprivileged", False),
    "pool": ("pool", "production"),
    "root_password": ("root_password", "word"),
}
# What has to change along, because the settings refuse the combination.
ALONG: dict[str, dict[str, Any]] = {"unprivileged": {"nesting": False}}
IN_WORDS = {
    Effect.IN_PLACE: "changed in place",
    Effect.REBOOT: "changed in place, with a reboot",
    Effect.REPLACE: "refused: it would replace the container",
    Effect.STEP: "changed in place, by a step over SSH",
    Effect.ROOT_ONLY: "refused, unless root@pam logs in with a password",
}


@pytest.fixture(scope="module")
def world_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestLab]:
    """A lab with a second bridge, a second router, a second storage and a pool."""
    world = yaml.safe_load((REPO / "lab" / "world" / "default.yaml").read_text(encoding="utf-8"))
    proxmox = world["proxmox"]
    proxmox["bridges"]["vmbr1"] = {
        "routers": ["192.168.9.1/24"],
        "vlans": {20: ["192.168.21.1/24"]},
    }
    proxmox["storages"]["other-lvm"] = dict(proxmox["storages"]["local-lvm"])
    proxmox["pools"] = ["production"]
    path = tmp_path_factory.mktemp("world") / "world.yaml"
    path.write_text(yaml.safe_dump(world), encoding="utf-8")
    with running_lab("changes", "--containers", "--world", str(path)) as lab:
        yield lab


def reboots(lab: TestLab) -> int:
    tasks = lab.api("GET", "/nodes/pve/tasks", vmid=VM_ID, typefilter="vzreboot", limit=500)
    return len(tasks)


def groups() -> list[list[str]]:
    """What changes in one run.

    All that needs no reboot, for if one did, it would show; and all that replaces, for the refusal
    names each that does.
    """
    in_place, replacing = (
        [name for name, (word, _) in CHANGES.items() if EFFECTS[word] is effect]
        for effect in (Effect.IN_PLACE, Effect.REPLACE)
    )
    alone = [name for name in CHANGES if name not in {*in_place, *replacing}]
    return [in_place, replacing, *([name] for name in alone)]


def see(lab: TestLab, stack: StackFile, *words: str) -> Effect:
    """Make the change, see what becomes of the container, and hold the words to it."""
    before = reboots(lab)
    result = lab.pulumi(stack, "up", "--yes", "--skip-preview", check=False)
    if "would destroy container" in result.text:
        seen = Effect.REPLACE
    elif "cannot change container" in result.text:
        seen = Effect.ROOT_ONLY
    elif set(words) & {"keys", "root_password"}:
        assert result.code == 0, result.text
        assert "one-login" in result.text and "one-container" not in result.text
        return Effect.STEP
    else:
        assert result.code == 0, result.text
        seen = Effect.REBOOT if reboots(lab) > before else Effect.IN_PLACE
        said = "reboots container" in result.text
        assert said == (seen is Effect.REBOOT), result.text
    for word in words:
        assert re.search(rf"[(,] ?{word} ", result.text), result.text
    return seen


def come_back(lab: TestLab, stack: StackFile) -> None:
    """Into the network where SSH reaches it: changes of the address have led it away."""
    here = container(VM_ID, 90)["container"]
    stack.container("one").update({key: here[key] for key in ("address", "gateway", "bridge")})
    stack.container("one").pop("vlan")
    stack.write()
    lab.pulumi(stack, "up", "--yes", "--skip-preview")


def page(seen: dict[str, Effect]) -> str:
    rows = "\n".join(f"| `{name}` | {IN_WORDS[seen[name]]} |" for name in CHANGES)
    return f"""# What a change does to a running container

`tests/engine/program/test_changes.py` makes each of these changes with the real provider, and
fails when this page does not say what it saw.

| setting | on a running container |
|---|---|
{rows}
| `ssh/private_key`, `ssh/authorized_keys` | {IN_WORDS[seen["ssh/authorized_keys"]]} |
| `disk_gb`, smaller | {IN_WORDS[seen["disk_gb, smaller"]]} |

- **In place**: takes effect at once, nothing restarts.
- **With a reboot**: the preview says so, `chat: reboots container 111 (memory 2048 -> 4096)`.
- **Refused**: at preview and at `up`, with the setting that caused it. To lose the container and
  its disk on purpose, add the host to `berth:replace`; take it out again afterwards.
- **By a step**: nothing restarts; docs/services.md says how the login key is exchanged.
- `nesting`: Proxmox lets nobody but root@pam change features of a container that exists. As
  root@pam it is changed in place, and takes effect when the container starts next.
"""


@pytest.mark.timeout(900)
def test_the_page_says_what_the_provider_does(world_lab: TestLab, tmp_path: Path) -> None:
    stack = stack_file(tmp_path, {"one": container(VM_ID, 90)})
    config = stack.document["config"]
    config["berth:secrets"] = {"word": {"secure": "v1:aaaa:bbbb"}}
    stack.write()
    world_lab.pulumi(stack, "up", "--yes", "--skip-preview")
    seen: dict[str, Effect] = {}
    for together in groups():
        words = {name: CHANGES[name][0] for name in together}
        if EFFECTS[words[together[0]]] is Effect.STEP:
            come_back(world_lab, stack)
        original = dict(stack.container("one"))
        for name in together:
            value = CHANGES[name][1]
            stack.container("one").update({name.partition(".")[0]: value, **ALONG.get(name, {})})
        stack.write()
        effect = see(world_lab, stack, *words.values())
        assert {EFFECTS[word] for word in words.values()} == {effect}, together
        seen |= dict.fromkeys(together, effect)
        if effect not in {Effect.IN_PLACE, Effect.REBOOT}:
            stack.hosts["one"]["container"] = original
    stack.container("one")["disk_gb"] = 4
    stack.write()
    seen["disk_gb, smaller"] = see(world_lab, stack, "disk")
    stack.container("one")["disk_gb"] = 5
    config["berth:ssh"] = {"authorized_keys": [KEY]}
    stack.write()
    seen["ssh/authorized_keys"] = see(world_lab, stack, "keys")
    assert {word for word, _ in CHANGES.values()} | {"keys"} == set(EFFECTS)
    if os.environ.get("BERTH_WRITE_DOCS"):
        PAGE.write_text(page(seen), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(seen), "run again with BERTH_WRITE_DOCS=1"
