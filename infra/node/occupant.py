"""Who has a VM id, as far as the rights of the token show it."""

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.node.client import ApiError, NodeClient

CREATE_LIMIT_S = 120.0
_SIZE = re.compile(r"\bsize=(?P<number>\d+)(?P<unit>[KMGT]?)\b")
_GIB = {"": 1 / 2**30, "K": 1 / 2**20, "M": 1 / 2**10, "G": 1.0, "T": 2.0**10}


@dataclass(frozen=True)
class Occupant:
    """A guest of the cluster. `tags` is None where they may not be seen."""

    description: str
    tags: tuple[str, ...] | None
    node: str | None = None
    is_container: bool = True
    """Also where that may not be seen."""


def occupant_of(
    client: NodeClient,
    node: str,
    vm_id: int,
    pause: Callable[[float], None] = time.sleep,
) -> Occupant | None:
    """The guest that has `vm_id`, on whatever node and of whatever kind; None when it is free.

    A container that is being made has no tags yet: wait until its task ends, up to
    CREATE_LIMIT_S, and look again.
    """
    waited = 0.0
    while True:
        if _is_free(client, vm_id):
            return None
        config = container_config(client, node, vm_id)
        if config is None or config.get("lock") != "create" or waited >= CREATE_LIMIT_S:
            break
        pause(1.0)
        waited += 1.0
    if config is not None:
        name = config.get("hostname", "without a name")
        tags = split_tags(config.get("tags"))
        return Occupant(f"the container {name} on node {node}", tags, node)
    return _listed(client, vm_id)


def container_config(client: NodeClient, node: str, vm_id: int) -> dict[str, Any] | None:
    """The configuration of a container, or None: not there, not a container, or not shown."""
    try:
        config: dict[str, Any] = client.get(f"nodes/{node}/lxc/{vm_id}/config")
    except ApiError as error:
        if error.status == 403 or "does not exist" in str(error) or "lookup" in str(error):
            return None
        raise
    return config


def disk_gb(client: NodeClient, node: str, vm_id: int, otherwise: int) -> int:
    """The size of a container's root disk in GiB, rounded up; `otherwise` where none is shown."""
    config = container_config(client, node, vm_id) or {}
    size = _SIZE.search(str(config.get("rootfs", "")))
    if size is None:
        return otherwise
    return math.ceil(int(size["number"]) * _GIB[size["unit"]])


def tagged_containers(client: NodeClient) -> dict[int, tuple[str, ...]]:
    """The tags of every container of the cluster that these credentials may look at, by VM id."""
    return {
        int(row["vmid"]): split_tags(row.get("tags"))
        for row in client.get("cluster/resources", type="vm")
        if row.get("type") == "lxc"
    }


def split_tags(tags: object) -> tuple[str, ...]:
    """The tags of a guest as Proxmox lists them."""
    return tuple(t for t in str(tags or "").replace(",", ";").split(";") if t)


def _is_free(client: NodeClient, vm_id: int) -> bool:
    # The only call that sees every guest of the cluster, whatever the token may read.
    try:
        client.get("cluster/nextid", vmid=vm_id)
    except ApiError as error:
        if error.status == 400 and "already exists" in str(error):
            return False
        raise
    return True


def _listed(client: NodeClient, vm_id: int) -> Occupant:
    kinds = {"lxc": "container", "qemu": "virtual machine"}
    for row in client.get("cluster/resources", type="vm"):
        if int(row.get("vmid", 0)) == vm_id:
            kind = kinds.get(str(row.get("type")), "guest")
            name, node = row.get("name", "without a name"), str(row.get("node"))
            return Occupant(
                f"the {kind} {name} on node {node}",
                split_tags(row.get("tags")),
                node,
                is_container=kind == "container",
            )
    return Occupant("a guest that these credentials may not look at", None)
