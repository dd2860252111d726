"""What the nodes have is held against the stack file. The client is a double: canned answers."""

from typing import Any, ClassVar

import pytest

from infra.node.client import ApiError
from infra.node.facts import Findings, check_nodes
from infra.node.occupant import Occupant, occupant_of
from infra.node.rights import check_rights, needed
from tests.unit.infra.recording import container, settings_of, stack

GIB = 1024**3
DOWNLOAD = {"url": "https://example.org/debian-13.tar.zst", "checksum": "a" * 64}
TEMPLATE = "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst"


class Answers:
    """Not a Proxmox: answers by path; an exception among them is raised."""

    def __init__(self, **changes: Any) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {
            "nodes": [
                {"node": "pve", "status": "online", "maxmem": 32 * GIB, "maxcpu": 8},
                {"node": "off", "status": "offline"},
            ],
            "nodes/pve/network": [{"iface": "vmbr0"}],
            "nodes/pve/storage": [
                {"storage": "local", "content": "vztmpl,iso", "total": 100 * GIB, "avail": GIB},
                {
                    "storage": "local-lvm",
                    "content": "rootdir,images",
                    "total": 400 * GIB,
                    "avail": 50 * GIB,
                },
                {"storage": "sleepy", "content": "rootdir", "active": 0},
            ],
            "nodes/pve/storage/local/content": [{"volid": TEMPLATE}],
            "nodes/pve/lxc/111/config": {"rootfs": "local-lvm:vm-111-disk-0,size=4G"},
            "nodes/pve/lxc/112/config": {"rootfs": "local-lvm:vm-112-disk-0,size=8192M"},
        } | changes

    def get(self, path: str, /, **_query: str | int) -> Any:
        self.asked.append(path)
        answer = self.answers[path]
        if isinstance(answer, list) and answer and isinstance(answer[0], Exception):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def findings(answers: Answers | None = None, **changes: object) -> Findings:
    spec = settings_of(stack({"chat": container(**changes)})).containers
    return check_nodes(answers or Answers(), spec, frozenset({"chat"}))  # type: ignore[arg-type]


def test_the_nodes_own_address_is_not_given_to_a_container() -> None:
    bridges = [{"iface": "vmbr0", "address": "192.168.1.11"}]
    found = findings(Answers(**{"nodes/pve/network": bridges}), address="192.168.1.11/24")
    assert [str(problem) for problem in found.problems] == [
        "hosts/chat/container/address: 192.168.1.11 is the address of node pve itself; take another"
    ]


def test_what_fits_is_not_spoken_of() -> None:
    found = findings()
    assert (found.problems, found.warnings) == ([], [])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"node": "pve9"}, "node: there is no node pve9; there is off, pve"),
        ({"node": "off"}, "node: off is offline"),
        ({"memory_mb": 40_000}, "memory_mb: 40000 is more than node pve has, 32768"),
        ({"cores": 9}, "cores: 9 is more than node pve has, 8"),
        (
            {"disk_gb": 500},
            "disk_gb: 500 is more than storage local-lvm of node pve has, 400",
        ),
        (
            {"storage": "local"},
            (
                "storage: storage local of node pve takes no disks of containers; for disks of "
                "containers there is local-lvm, sleepy"
            ),
        ),
        ({"storage": "sleepy"}, "storage: storage sleepy of node pve is not active now"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], problem: str) -> None:
    assert [str(p) for p in findings(**changes).problems] == [f"hosts/chat/container/{problem}"]


def test_a_missing_template_matters_only_to_a_container_that_is_to_be_made() -> None:
    template = {"volume": "local:vztmpl/debian-99.tar.zst"}
    spec = settings_of(stack({"chat": container(template=template)})).containers
    client: Any = Answers()
    assert check_nodes(client, spec, frozenset()).problems == []
    [problem] = check_nodes(client, spec, frozenset({"chat"})).problems
    assert "fetch it there: pveam download local debian-99.tar.zst" in problem.text


def test_over_commitment_is_a_warning() -> None:
    hosts = {
        "chat": container(memory_mb=20_000, disk_gb=60),
        "web": container(memory_mb=20_000, vm_id=112, address="192.168.1.112/24"),
    }
    client: Any = Answers()
    found = check_nodes(client, settings_of(stack(hosts)).containers, frozenset({"chat"}))
    assert found.problems == []
    assert found.warnings == [
        (
            "the containers of this stack may use 40000 MiB of memory together, node pve has "
            "32768: it is over-committed"
        ),
        (
            "what is new may fill 60 GiB of storage local-lvm of node pve, 50 are free: "
            "it is over-committed"
        ),
    ]


def test_disks_that_grow_beyond_what_is_free_are_a_warning_too() -> None:
    hosts = {
        "chat": container(disk_gb=44),
        "web": container(disk_gb=19, vm_id=112, address="192.168.1.112/24"),
        "cut": container(disk_gb=8, vm_id=113, address="192.168.1.113/24"),
    }
    grown_by_hand = {"rootfs": "local-lvm:vm-113-disk-0,size=30G"}
    client: Any = Answers(**{"nodes/pve/lxc/113/config": grown_by_hand})
    found = check_nodes(client, settings_of(stack(hosts)).containers, frozenset())
    assert [text.partition(" of storage")[0] for text in found.warnings] == [
        "what is new may fill 51 GiB"
    ]


@pytest.mark.parametrize(
    ("answer", "problems", "warnings"),
    [
        ({"members": []}, [], []),
        (
            ApiError(500, "pool 'production' does not exist"),
            [
                (
                    "hosts/chat/container/pool: there is no pool production; make it in Proxmox, or "
                    "leave pool out"
                )
            ],
            [],
        ),
        (
            ApiError(403, "Permission check failed (/pool/production, Pool.Audit)"),
            [],
            [
                (
                    "whether there is a pool production cannot be seen without Pool.Audit on "
                    "/pool/production, so that is not checked"
                )
            ],
        ),
    ],
)
def test_a_pool_that_is_not_there_is_named_before_anything_is_made(
    answer: Any, problems: list[str], warnings: list[str]
) -> None:
    found = findings(Answers(**{"pools/production": answer}), pool="production")
    assert ([str(problem) for problem in found.problems], found.warnings) == (problems, warnings)


def test_what_the_token_may_not_see_is_a_warning() -> None:
    found = findings(Answers(nodes=[{"node": "pve", "status": "online"}]))
    assert found.problems == []
    assert found.warnings == [
        (
            "how much memory and how many cores node pve has cannot be seen without Sys.Audit on "
            "/nodes/pve, so that is not checked"
        )
    ]


TAKEN = ApiError(400, "vmid: VM 111 already exists")
GONE = ApiError(500, "Configuration file 'nodes/pve/lxc/111.conf' does not exist")


def occupant(answers: dict[str, Any]) -> Occupant | None:
    client: Any = Answers(**answers)
    return occupant_of(client, "pve", 111, lambda _seconds: None)


def test_a_free_id_has_no_occupant() -> None:
    assert occupant({"cluster/nextid": "111"}) is None


def test_a_virtual_machine_on_another_node_is_described() -> None:
    rows = [{"vmid": 111, "type": "qemu", "name": "db", "node": "pve2", "tags": "a;b"}]
    found = occupant(
        {"cluster/nextid": TAKEN, "nodes/pve/lxc/111/config": GONE, "cluster/resources": rows}
    )
    assert found == Occupant(
        "the virtual machine db on node pve2", ("a", "b"), "pve2", is_container=False
    )


def test_a_guest_that_is_hidden_from_the_token_is_an_occupant_all_the_same() -> None:
    found = occupant(
        {
            "cluster/nextid": TAKEN,
            "nodes/pve/lxc/111/config": ApiError(403, "Permission check failed"),
            "cluster/resources": [],
        }
    )
    assert found == Occupant("a guest that these credentials may not look at", None)


def test_a_container_that_is_being_made_is_waited_for() -> None:
    class Changing(Answers):
        configs: ClassVar = [
            {"lock": "create"},
            {"lock": "create"},
            {"hostname": "chat", "tags": "x"},
        ]

        def get(self, path: str, /, **query: str | int) -> Any:
            if path.endswith("/config"):
                return self.configs.pop(0)
            return super().get(path, **query)

    client: Any = Changing(**{"cluster/nextid": TAKEN})
    found = occupant_of(client, "pve", 111, lambda _seconds: None)
    assert found == Occupant("the container chat on node pve", ("x",), "pve")


def lacking(*, missing: str, **changes: object) -> list[str]:
    """What is said to credentials that hold everything but `missing`."""
    spec = settings_of(stack({"chat": container(**changes)}))
    privileges = {
        name: 1
        for of_path in needed(spec.containers["chat"]).values()
        for name in of_path
        if name != missing
    }

    class Permissions:
        """Not a Proxmox: the same rights on every path."""

        def get(self, path: str, /, **query: str | int) -> Any:
            assert path == "access/permissions"
            return {query["path"]: privileges}

    client: Any = Permissions()
    return [str(problem) for problem in check_rights(client, spec.containers)]


@pytest.mark.parametrize(
    ("missing", "changes", "where"),
    [
        ("VM.Audit", {}, "/vms/111"),
        ("VM.Allocate", {"pool": "prod"}, "/vms/111 or /pool/prod"),
        ("Datastore.AllocateSpace", {}, "/storage/local-lvm"),
        ("SDN.Use", {"vlan": 20}, "/sdn/zones/localnetwork/vmbr0/20"),
        ("Sys.Modify", {"unprivileged": False, "nesting": False}, "/"),
        ("Sys.AccessNetwork", {"template": DOWNLOAD}, "/nodes/pve"),
        ("Datastore.AllocateTemplate", {"template": DOWNLOAD}, "/storage/local"),
    ],
)
def test_a_missing_right_is_named_with_its_path(
    missing: str, changes: dict[str, object], where: str
) -> None:
    assert lacking(missing="none", **changes) == []
    assert lacking(missing=missing, **changes) == [
        f"proxmox: these credentials lack {missing} on {where}; docs/proxmox.md lists what is needed"
    ]
