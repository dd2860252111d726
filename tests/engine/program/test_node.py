"""What the node says no to: one clear message before anything changes, and a way on."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import requests

from infra.node.client import Credentials, NodeClient
from infra.node.facts import check_nodes
from infra.node.rights import check_rights
from infra.settings.models import Container
from lab.host.enter import namespace_file
from lab.host.namespaces import run_in_network
from tests.conftest import REPO
from tests.labs import TEMPLATE, StackFile, TestLab, container

Make = Callable[[Mapping[str, Any]], StackFile]
UP = ("up", "--yes", "--skip-preview")
DESTROY = ("destroy", "--run-program", "--yes", "--skip-preview")


def documented_privileges() -> list[str]:
    """Those of the role that docs/proxmox.md makes."""
    text = (REPO / "docs" / "proxmox.md").read_text(encoding="utf-8")
    [found] = re.findall(r'pveum role add Berth --privs "([^"]+)"', text)
    return str(found).split()


def with_environment(
    lab: TestLab, stack: StackFile, settings: Mapping[str, str], *words: str
) -> tuple[int, str]:
    """A pulumi command with these variables in place of the lab's own."""
    result = lab.pulumi(stack, *words, inside=settings, check=False)
    return result.code, result.text


def test_everything_that_does_not_fit_is_told_at_once(lab: TestLab, make_stack: Make) -> None:
    stack = make_stack(
        {
            "one": container(731, 91, bridge="vmbr9", storage="nowhere", memory_mb=999_999),
            "two": container(732, 92, node="pve9"),
            "three": container(
                733, 93, cores=99, disk_gb=99_999,
                template={"volume": "local:vztmpl/debian-99.tar.zst"},
            ),
        }
    )  # fmt: skip
    result = lab.pulumi(stack, "preview", check=False)
    assert result.code != 0
    for line in (
        (
            "hosts/one/container/bridge: node pve has no bridge vmbr9 that these credentials may use; "
            "there is vmbr0"
        ),
        "hosts/one/container/memory_mb: 999999 is more than node pve has, 32768",
        (
            "hosts/one/container/storage: node pve has no storage nowhere that these credentials may "
            "use; for disks of containers there is local-lvm"
        ),
        "hosts/three/container/cores: 99 is more than node pve has, 8",
        "hosts/three/container/disk_gb: 99999 is more than storage local-lvm of node pve has, 400",
        (
            "hosts/three/container/template/volume: there is no local:vztmpl/debian-99.tar.zst on node "
            "pve that these credentials may read; fetch it there: pveam download local "
            "debian-99.tar.zst;"
        ),
        "hosts/two/container/node: there is no node pve9; there is pve",
    ):
        assert f"  {line}" in result.text
    assert lab.pulumi(stack, *UP, check=False).code != 0
    assert lab.guests() & {731, 732, 733} == set()


def test_over_commitment_is_a_warning(lab: TestLab, make_stack: Make) -> None:
    big = {"memory_mb": 20_000, "disk_gb": 250}
    stack = make_stack({"one": container(731, 91, **big), "two": container(732, 92, **big)})
    said = lab.pulumi(stack, "preview").text
    assert (
        "warning: the containers of this stack may use 40000 MiB of memory together, node pve has "
        "32768: it is over-committed"
    ) in said
    assert "warning: what is new may fill 500 GiB of storage local-lvm" in said


def test_a_wrong_token_is_named(lab: TestLab, make_stack: Make) -> None:
    stack = make_stack({"one": container(731, 91)})
    token = "berth@pve!deploy=00000000-0000-0000-0000-000000000000"
    code, text = with_environment(lab, stack, {"PROXMOX_VE_API_TOKEN": token}, "preview")
    assert code != 0
    assert "proxmox/api_token: https://192.168.1.11:8006 does not accept it (401" in text
    assert token.partition("=")[2] not in text


def test_a_node_that_cannot_be_reached_is_named(lab: TestLab, make_stack: Make) -> None:
    stack = make_stack({"one": container(731, 91)})
    code, text = with_environment(
        lab, stack, {"PROXMOX_VE_ENDPOINT": "https://192.168.1.11:8007/"}, "preview"
    )
    assert code != 0
    assert "proxmox/endpoint: https://192.168.1.11:8007 cannot be reached" in text


def test_a_certificate_that_is_not_trusted_is_refused_and_insecure_warns(
    lab: TestLab, make_stack: Make
) -> None:
    stack = make_stack({"one": container(731, 91)})
    machine = {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
    code, text = with_environment(lab, stack, machine, "preview")
    assert code != 0
    assert "the certificate of https://192.168.1.11:8006 is not trusted" in text
    stack.document["config"]["berth:proxmox"] = {"insecure": True}
    stack.write()
    code, text = with_environment(lab, stack, machine, "preview")
    assert code == 0, text
    assert "warning: proxmox/insecure: the certificate" in text


class Trial:
    """A user of Proxmox with one token, whose role can be changed."""

    def __init__(self, lab: TestLab) -> None:
        self._lab = lab
        lab.api("POST", "/access/roles", roleid="Trial", privs="VM.Audit")
        lab.api("POST", "/access/users", userid="trial@pve")
        lab.api("PUT", "/access/acl?path=/", users="trial@pve", roles="Trial")
        made = lab.api("POST", "/access/users/trial@pve/token/deploy", privsep=0)
        self.token = f"trial@pve!deploy={made['value']}"
        self.environment = {"PROXMOX_VE_API_TOKEN": self.token}

    def may(self, privileges: list[str]) -> dict[str, str]:
        """Give exactly these privileges; the variable that holds the token."""
        self._lab.api("PUT", "/access/roles/Trial", privs=",".join(privileges))
        return self.environment

    def end(self) -> None:
        self._lab.api("DELETE", "/access/users/trial@pve")
        self._lab.api("DELETE", "/access/roles/Trial")


@pytest.fixture(scope="module")
def trial(lab: TestLab) -> Iterator[Trial]:
    made = Trial(lab)
    yield made
    made.end()


def test_the_documented_privileges_are_enough(lab: TestLab, make_stack: Make, trial: Trial) -> None:
    stack = make_stack({"one": container(734, 94)})
    token = trial.may(documented_privileges())
    code, text = with_environment(lab, stack, token, *UP)
    assert code == 0, text
    stack.container("one").update(
        cores=2, memory_mb=640, disk_gb=5, hostname="renamed", tags=["web"], onboot=False
    )
    stack.write()
    code, text = with_environment(lab, stack, token, *UP)
    assert code == 0, text
    code, text = with_environment(lab, stack, token, *DESTROY)
    assert code == 0, text


CREATE = {
    "vmid": "735",
    "ostemplate": TEMPLATE,
    "rootfs": "volume=local-lvm:4",
    "storage": "local-lvm",
    "net0": "name=eth0,bridge=vmbr0,ip=192.168.1.95/24,gw=192.168.1.1",
    "hostname": "one",
    "cores": "1",
    "memory": "512",
    "swap": "0",
    "features": "nesting=1",
    "onboot": "1",
    "unprivileged": "1",
    "tags": "berth+berth+test+one+t3stt3st",
}
WITHOUT: dict[str, tuple[str, str, dict[str, str]]] = {
    "VM.Audit": ("GET", "/nodes/pve/lxc/735/config", {}),
    "VM.PowerMgmt": ("POST", "/nodes/pve/lxc/735/status/start", {}),
    "Sys.Audit": ("GET", "/nodes", {}),
}
"""What Proxmox does not do without a privilege; for all others it is the creation itself."""


def answer(
    lab: TestLab, token: str, method: str, path: str, data: Mapping[str, str]
) -> tuple[int, str]:
    """What Proxmox itself says to the token."""

    def exchange() -> requests.Response:
        return requests.request(
            method,
            f"{lab.status()['endpoint']}api2/json{path}",
            headers={"Authorization": f"PVEAPIToken={token}"},
            data=dict(data),
            verify=str(lab.paths.ca_certificate),
            timeout=60,
        )

    said = run_in_network(namespace_file(lab.paths), exchange)
    return said.status_code, said.text


def found_by_us(lab: TestLab, token: str) -> tuple[list[str], list[str]]:
    """What a preview would refuse of these credentials, and what it would warn of."""
    spec = Container.model_validate(container(735, 95)["container"])
    client = NodeClient(lab.status()["endpoint"], Credentials(api_token=token), insecure=False)

    def look() -> tuple[list[str], list[str]]:
        problems = [str(problem) for problem in check_rights(client, {"one": spec})]
        return problems, [] if problems else check_nodes(
            client, {"one": spec}, frozenset()
        ).warnings

    return run_in_network(namespace_file(lab.paths), look)


@pytest.mark.parametrize("missing", documented_privileges())
def test_each_documented_privilege_is_needed_and_its_lack_is_told(
    lab: TestLab, trial: Trial, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(lab.paths.ca_bundle))
    trial.may([p for p in documented_privileges() if p != missing])
    method, path, data = WITHOUT.get(missing, ("POST", "/nodes/pve/lxc", CREATE))
    status, said = answer(lab, trial.token, method, path, data)
    problems, warnings = found_by_us(lab, trial.token)
    if missing == "Sys.Audit":
        assert (status, "maxmem" in said) == (200, False)
        assert problems == []
        assert any("cannot be seen without Sys.Audit on /nodes/pve" in line for line in warnings)
    else:
        assert status == 403, said
        assert any(f"proxmox: these credentials lack {missing} on " in line for line in problems)
    assert 735 not in lab.guests()


def test_a_preview_names_every_privilege_that_is_missing(
    lab: TestLab, make_stack: Make, trial: Trial
) -> None:
    stack = make_stack({"one": container(735, 95)})
    lacking = {"VM.PowerMgmt", "Datastore.AllocateSpace", "Sys.Audit"}
    token = trial.may([p for p in documented_privileges() if p not in lacking])
    code, text = with_environment(lab, stack, token, "preview")
    assert code != 0
    for privilege in ("VM.PowerMgmt", "Datastore.AllocateSpace"):
        assert f"these credentials lack {privilege} on " in text
    token = trial.may([p for p in documented_privileges() if p != "Sys.Audit"])
    code, text = with_environment(lab, stack, token, "preview")
    assert code == 0, text
    assert "cannot be seen without Sys.Audit on /nodes/pve" in text


def test_a_guest_that_the_token_may_not_see_keeps_its_id(
    lab: TestLab, make_stack: Make, trial: Trial
) -> None:
    theirs = make_stack({"one": container(736, 96)})
    lab.pulumi(theirs, *UP)
    stack = make_stack({"two": container(736, 97)})
    blind = [p for p in documented_privileges() if p != "VM.Audit"]
    code, text = with_environment(lab, stack, trial.may(blind), *UP)
    assert code != 0
    assert "VM id 736 is taken by a guest that these credentials may not look at" in text
    assert lab.api("GET", "/nodes/pve/lxc/736/config")["hostname"] == "one"
