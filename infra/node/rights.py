"""What the credentials must be allowed to do, asked before anything is tried.

Without this a missing right shows half-way; without VM.Audit the provider waits for half an hour.
"""

from collections.abc import Iterator, Mapping

from infra.node.client import ApiError, NodeClient
from infra.settings.models import Container
from infra.settings.problems import Problem

ON_CONTAINER = (
    "VM.Allocate",
    "VM.Audit",
    "VM.Config.CPU",
    "VM.Config.Disk",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.PowerMgmt",
)
Needed = Mapping[tuple[str, ...], tuple[str, ...]]
"""Paths to privileges: each privilege on one of the paths at least."""


def check_rights(client: NodeClient, containers: Mapping[str, Container]) -> Iterator[Problem]:
    """One problem for each path on which something is missing."""
    held: dict[str, frozenset[str]] = {}
    said: set[str] = set()
    for container in containers.values():
        for paths, privileges in needed(container).items():
            for path in paths:
                if path not in held:
                    held[path] = _held(client, path)
            allowed = frozenset[str]().union(*(held[path] for path in paths))
            missing = [privilege for privilege in privileges if privilege not in allowed]
            where = " or ".join(paths)
            if missing and where not in said:
                said.add(where)
                yield Problem(
                    "proxmox",
                    f"these credentials lack {', '.join(missing)} on {where}; "
                    "docs/proxmox.md lists what is needed",
                )


def needed(container: Container) -> Needed:
    """What making, changing and deleting `container` takes."""
    place = (f"/vms/{container.vm_id}", *([f"/pool/{container.pool}"] if container.pool else []))
    bridge = f"/sdn/zones/localnetwork/{container.bridge}"
    if container.vlan is not None:
        bridge = f"{bridge}/{container.vlan}"
    wanted: dict[tuple[str, ...], tuple[str, ...]] = {
        place: ON_CONTAINER,
        (f"/storage/{container.storage}",): ("Datastore.AllocateSpace",),
        (bridge,): ("SDN.Use",),
    }
    if not container.unprivileged:
        wanted["/",] = ("Sys.Modify",)
    if container.template.url:
        wanted[f"/storage/{container.template.storage}",] = _also(
            wanted, f"/storage/{container.template.storage}", "Datastore.AllocateTemplate"
        )
        wanted[f"/nodes/{container.node}",] = ("Sys.AccessNetwork",)
    return wanted


def _also(
    wanted: Mapping[tuple[str, ...], tuple[str, ...]], path: str, privilege: str
) -> tuple[str, ...]:
    return (*wanted.get((path,), ()), privilege)


def _held(client: NodeClient, path: str) -> frozenset[str]:
    try:
        answer = client.get("access/permissions", path=path)
    except ApiError as error:
        if error.status == 403:
            return frozenset()
        raise
    return frozenset(name for name, on in answer.get(path, {}).items() if on is not None)
