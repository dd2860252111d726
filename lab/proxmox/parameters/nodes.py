"""Calls on the node itself."""

from lab.proxmox.parameters.common import ON_NODE
from lab.proxmox.schema import Call, choice, keys, perm

CALLS = {
    "GET /nodes": Call(),
    "GET /nodes/{node}": Call(keys(ON_NODE)),
    "GET /nodes/{node}/network": Call(
        keys(
            {
                **ON_NODE,
                "type?": choice(
                    "bridge",
                    "bond",
                    "eth",
                    "alias",
                    "vlan",
                    "fabric",
                    "OVSBridge",
                    "OVSBond",
                    "OVSPort",
                    "OVSIntPort",
                    "vnet",
                    "any_bridge",
                    "any_local_bridge",
                    "include_sdn",
                ),
            }
        )
    ),
    "GET /nodes/{node}/status": Call(keys(ON_NODE), perm("/nodes/{node}", "Sys.Audit")),
    "POST /nodes/{node}/status": Call(
        keys({**ON_NODE, "command": choice("reboot", "shutdown")}),
        perm("/nodes/{node}", "Sys.PowerMgmt"),
    ),
    "GET /nodes/{node}/version": Call(keys(ON_NODE)),
}
