"""Calls on containers: create, read, change, power, delete."""

from lab.proxmox.parameters.common import ON_GUEST, ON_NODE, STORAGE, VMID
from lab.proxmox.parameters.containers import OPTIONS
from lab.proxmox.schema import Call, choice, flag, integer, keys, number, perm, string

_GUEST = keys(ON_GUEST)
_AUDIT = perm("/vms/{vmid}", "VM.Audit")
_POWER = perm("/vms/{vmid}", "VM.PowerMgmt")
_CT = "/nodes/{node}/lxc/{vmid}"
_CONFIG_RIGHTS = ("Disk", "CPU", "Memory", "Network", "Options")
_DIGEST = string(max_length=40)

CALLS = {
    "GET /nodes/{node}/lxc": Call(keys(ON_NODE)),
    "POST /nodes/{node}/lxc": Call(
        {
            **OPTIONS,
            **keys(
                {
                    **ON_NODE,
                    "vmid": VMID,
                    "ostemplate": string(max_length=255),
                    "bwlimit?": number(0),
                    "force?": flag(),
                    "ha-managed?": flag(),
                    "ignore-unpack-errors?": flag(),
                    "password?": string(min_length=5),
                    "pool?": string("pve-poolid"),
                    "restore?": flag(),
                    "ssh-public-keys?": string(),
                    "start?": flag(),
                    "storage?": STORAGE,
                    "unique?": flag(requires="restore"),
                }
            ),
        }
    ),
    f"GET {_CT}": Call(_GUEST),
    f"DELETE {_CT}": Call(
        keys(
            {
                **ON_GUEST,
                "destroy-unreferenced-disks?": flag(),
                "force?": flag(),
                "purge?": flag(),
            }
        ),
        perm("/vms/{vmid}", "VM.Allocate"),
    ),
    f"GET {_CT}/config": Call(
        keys(
            {
                **ON_GUEST,
                "current?": flag(),
                "snapshot?": string("pve-configid", max_length=40),
            }
        ),
        _AUDIT,
    ),
    f"PUT {_CT}/config": Call(
        {
            **OPTIONS,
            **keys(
                {
                    **ON_GUEST,
                    "delete?": string("pve-configid-list"),
                    "digest?": _DIGEST,
                    "revert?": string("pve-configid-list"),
                }
            ),
        },
        perm("/vms/{vmid}", *(f"VM.Config.{name}" for name in _CONFIG_RIGHTS), any_of=True),
    ),
    f"GET {_CT}/pending": Call(_GUEST, _AUDIT),
    f"PUT {_CT}/resize": Call(
        keys(
            {
                **ON_GUEST,
                "digest?": _DIGEST,
                "disk": choice("rootfs", *(f"mp{index}" for index in range(256))),
                "size": string(pattern=r"\+?\d+(\.\d+)?[KMGT]?"),
            }
        ),
        perm("/vms/{vmid}", "VM.Config.Disk", any_of=True),
    ),
    f"GET {_CT}/interfaces": Call(_GUEST, _AUDIT),
    f"GET {_CT}/status": Call(_GUEST),
    f"GET {_CT}/status/current": Call(_GUEST, _AUDIT),
    f"POST {_CT}/status/start": Call(
        keys({**ON_GUEST, "debug?": flag(), "skiplock?": flag()}), _POWER
    ),
    f"POST {_CT}/status/stop": Call(
        keys({**ON_GUEST, "overrule-shutdown?": flag(), "skiplock?": flag()}), _POWER
    ),
    f"POST {_CT}/status/shutdown": Call(
        keys({**ON_GUEST, "forceStop?": flag(), "timeout?": integer(0)}), _POWER
    ),
    f"POST {_CT}/status/reboot": Call(keys({**ON_GUEST, "timeout?": integer(0)}), _POWER),
}
