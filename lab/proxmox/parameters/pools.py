"""Calls on pools, in both forms: the pool as a parameter, and in the path."""

from lab.proxmox.schema import Call, choice, flag, keys, perm, string

_POOL = {"poolid": string("pve-poolid")}
_WRITE = perm("/pool/{poolid}", "Pool.Allocate")
_CHANGE = keys(
    {
        **_POOL,
        "allow-move?": flag(),
        "comment?": string(),
        "delete?": flag(),
        "storage?": string("pve-storage-id-list"),
        "vms?": string("pve-vmid-list"),
    }
)
_KINDS = ("qemu", "lxc", "storage")

CALLS = {
    "GET /pools": Call(
        keys({"poolid?": string("pve-poolid"), "type?": choice(*_KINDS, requires="poolid")})
    ),
    "POST /pools": Call(keys({**_POOL, "comment?": string()}), _WRITE),
    "PUT /pools": Call(_CHANGE, _WRITE),
    "DELETE /pools": Call(keys(_POOL), _WRITE),
    "GET /pools/{poolid}": Call(
        keys({**_POOL, "type?": choice(*_KINDS)}), perm("/pool/{poolid}", "Pool.Audit")
    ),
    "PUT /pools/{poolid}": Call(_CHANGE, _WRITE),
    "DELETE /pools/{poolid}": Call(keys(_POOL), _WRITE),
}
