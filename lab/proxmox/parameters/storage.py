"""Calls on storages, their content, and downloads to them."""

from lab.proxmox.parameters.common import NODE, ON_NODE, ON_STORAGE, STORAGE, VMID
from lab.proxmox.schema import AllOf, AnyOf, Call, choice, flag, integer, keys, perm, string

_READ = perm("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace", any_of=True)
_INTERNET = AnyOf(
    (perm("/", "Sys.Audit", "Sys.Modify"), perm("/nodes/{node}", "Sys.AccessNetwork"))
)
_VOLUME = {**ON_NODE, "storage?": STORAGE, "volume": string()}
_URL = string(pattern="https?://.*")
_ON = "/nodes/{node}/storage"

CALLS = {
    f"GET {_ON}": Call(
        keys(
            {
                **ON_NODE,
                "content?": string("pve-storage-content-list"),
                "enabled?": flag(),
                "format?": flag(),
                "storage?": STORAGE,
                "target?": NODE,
            }
        )
    ),
    f"GET {_ON}/{{storage}}": Call(keys(ON_STORAGE), _READ),
    f"GET {_ON}/{{storage}}/status": Call(keys(ON_STORAGE), _READ),
    f"GET {_ON}/{{storage}}/content": Call(
        keys({**ON_STORAGE, "content?": string("pve-storage-content"), "vmid?": VMID}), _READ
    ),
    f"GET {_ON}/{{storage}}/content/{{volume}}": Call(keys(_VOLUME)),
    f"DELETE {_ON}/{{storage}}/content/{{volume}}": Call(
        keys({**_VOLUME, "delay?": integer(1, 30)})
    ),
    f"POST {_ON}/{{storage}}/download-url": Call(
        keys(
            {
                **ON_STORAGE,
                "checksum?": string(requires="checksum-algorithm"),
                "checksum-algorithm?": choice(
                    "md5", "sha1", "sha224", "sha256", "sha384", "sha512", requires="checksum"
                ),
                "compression?": string(),
                "content": choice("iso", "vztmpl", "import", format="pve-storage-content"),
                "filename": string(max_length=255),
                "url": _URL,
                "verify-certificates?": flag(),
            }
        ),
        AllOf((perm("/storage/{storage}", "Datastore.AllocateTemplate"), _INTERNET)),
    ),
    "GET /nodes/{node}/query-url-metadata": Call(
        keys({**ON_NODE, "url": _URL, "verify-certificates?": flag()}), _INTERNET
    ),
    "GET /storage": Call(
        keys(
            {
                "type?": choice(
                    "btrfs",
                    "cephfs",
                    "cifs",
                    "dir",
                    "esxi",
                    "iscsi",
                    "iscsidirect",
                    "lvm",
                    "lvmthin",
                    "nfs",
                    "pbs",
                    "rbd",
                    "zfs",
                    "zfspool",
                )
            }
        )
    ),
    "GET /storage/{storage}": Call(
        keys({"storage": STORAGE}), perm("/storage/{storage}", "Datastore.Allocate")
    ),
}
