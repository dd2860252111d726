"""The parameter tables of every call that the lab serves: facts about Proxmox's API."""

from collections.abc import Mapping

from lab.proxmox.parameters import (
    access,
    cluster,
    container_calls,
    firewall,
    nodes,
    pools,
    storage,
    tasks,
)
from lab.proxmox.schema import Call

CALLS: Mapping[str, Call] = {
    **access.CALLS,
    **cluster.CALLS,
    **container_calls.CALLS,
    **firewall.CALLS,
    **nodes.CALLS,
    **pools.CALLS,
    **storage.CALLS,
    **tasks.CALLS,
}
"""By method and path template: `GET /nodes/{node}/lxc`."""
