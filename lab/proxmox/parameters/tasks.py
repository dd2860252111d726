"""Calls on tasks."""

from lab.proxmox.parameters.common import ON_NODE, VMID
from lab.proxmox.schema import Call, choice, flag, integer, keys, string

_TASK = {**ON_NODE, "upid": string()}

CALLS = {
    "GET /nodes/{node}/tasks": Call(
        keys(
            {
                **ON_NODE,
                "errors?": flag(),
                "limit?": integer(0),
                "since?": integer(),
                "source?": choice("archive", "active", "all"),
                "start?": integer(0),
                "statusfilter?": string("pve-task-status-type-list"),
                "typefilter?": string(),
                "until?": integer(),
                "userfilter?": string(),
                "vmid?": VMID,
            }
        )
    ),
    "GET /nodes/{node}/tasks/{upid}": Call(keys(_TASK)),
    "DELETE /nodes/{node}/tasks/{upid}": Call(keys(_TASK)),
    "GET /nodes/{node}/tasks/{upid}/log": Call(
        keys({**_TASK, "download?": flag(), "limit?": integer(0), "start?": integer(0)})
    ),
    "GET /nodes/{node}/tasks/{upid}/status": Call(keys(_TASK)),
}
