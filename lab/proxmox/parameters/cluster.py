"""Calls on the cluster, of which the node is the only member."""

from lab.proxmox.parameters.common import VMID
from lab.proxmox.schema import Call, choice, keys, perm

CALLS = {
    "GET /cluster": Call(),
    "GET /cluster/nextid": Call(keys({"vmid?": VMID})),
    "GET /cluster/resources": Call(keys({"type?": choice("vm", "storage", "node", "sdn")})),
    "GET /cluster/status": Call({}, perm("/", "Sys.Audit")),
    "GET /version": Call(),
}
