"""Calls on the firewall of a container."""

from lab.proxmox.parameters.common import ON_GUEST
from lab.proxmox.schema import Call, Param, choice, flag, integer, keys, perm, string

_AUDIT = perm("/vms/{vmid}", "VM.Audit")
_WRITE = perm("/vms/{vmid}", "VM.Config.Network")
_FW = "/nodes/{node}/lxc/{vmid}/firewall"
_DIGEST = string(max_length=64)
_LEVEL = choice("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "nolog")
_POLICY = choice("ACCEPT", "REJECT", "DROP")
_NAME = string(pattern=r"[A-Za-z][A-Za-z0-9\-\_]+", min_length=2, max_length=64)
_KIND = choice("in", "out", "forward", "group")
_ACTION = string(pattern=r"[A-Za-z][A-Za-z0-9\-\_]+", min_length=2, max_length=20)
_RULE: dict[str, Param] = {
    **ON_GUEST,
    "comment?": string(),
    "dest?": string("pve-fw-addr-spec", max_length=512),
    "digest?": _DIGEST,
    "dport?": string("pve-fw-dport-spec"),
    "enable?": integer(0),
    "icmp-type?": string("pve-fw-icmp-type-spec"),
    "iface?": string("pve-iface", min_length=2, max_length=20),
    "log?": _LEVEL,
    "macro?": string(max_length=128),
    "pos?": integer(0),
    "proto?": string("pve-fw-protocol-spec"),
    "source?": string("pve-fw-addr-spec", max_length=512),
    "sport?": string("pve-fw-sport-spec"),
}
_POSITION = {**ON_GUEST, "pos?": integer(0)}
_ALIAS = {**ON_GUEST, "name": _NAME}
_ENTRY = {**ON_GUEST, "name": _NAME, "cidr": string("IPorCIDRorAlias")}
_CIDR = string("IPorCIDR")

OPTIONS = keys(
    {
        "dhcp?": flag(),
        "enable?": flag(),
        "ipfilter?": flag(),
        "log_level_in?": _LEVEL,
        "log_level_out?": _LEVEL,
        "macfilter?": flag(),
        "ndp?": flag(),
        "policy_in?": _POLICY,
        "policy_out?": _POLICY,
        "radv?": flag(),
    }
)

CALLS = {
    f"GET {_FW}": Call(keys(ON_GUEST)),
    f"GET {_FW}/options": Call(keys(ON_GUEST), _AUDIT),
    f"PUT {_FW}/options": Call(
        {
            **OPTIONS,
            **keys({**ON_GUEST, "delete?": string("pve-configid-list"), "digest?": _DIGEST}),
        },
        _WRITE,
    ),
    f"GET {_FW}/rules": Call(keys(ON_GUEST), _AUDIT),
    f"POST {_FW}/rules": Call(keys({**_RULE, "action": _ACTION, "type": _KIND}), _WRITE),
    f"GET {_FW}/rules/{{pos}}": Call(keys(_POSITION), _AUDIT),
    f"PUT {_FW}/rules/{{pos}}": Call(
        keys(
            {
                **_RULE,
                "action?": _ACTION,
                "delete?": string("pve-configid-list"),
                "moveto?": integer(0),
                "type?": _KIND,
            }
        ),
        _WRITE,
    ),
    f"DELETE {_FW}/rules/{{pos}}": Call(keys({**_POSITION, "digest?": _DIGEST}), _WRITE),
    f"GET {_FW}/aliases": Call(keys(ON_GUEST), _AUDIT),
    f"POST {_FW}/aliases": Call(keys({**_ALIAS, "cidr": _CIDR, "comment?": string()}), _WRITE),
    f"GET {_FW}/aliases/{{name}}": Call(keys(_ALIAS), _AUDIT),
    f"PUT {_FW}/aliases/{{name}}": Call(
        keys(
            {
                **_ALIAS,
                "cidr": _CIDR,
                "comment?": string(),
                "digest?": _DIGEST,
                "rename?": _NAME,
            }
        ),
        _WRITE,
    ),
    f"DELETE {_FW}/aliases/{{name}}": Call(keys({**_ALIAS, "digest?": _DIGEST}), _WRITE),
    f"GET {_FW}/ipset": Call(keys(ON_GUEST), _AUDIT),
    f"POST {_FW}/ipset": Call(
        keys({**_ALIAS, "comment?": string(), "digest?": _DIGEST, "rename?": _NAME}), _WRITE
    ),
    f"GET {_FW}/ipset/{{name}}": Call(keys(_ALIAS), _AUDIT),
    f"POST {_FW}/ipset/{{name}}": Call(
        keys({**_ENTRY, "comment?": string(), "nomatch?": flag()}), _WRITE
    ),
    f"DELETE {_FW}/ipset/{{name}}": Call(keys({**_ALIAS, "force?": flag()}), _WRITE),
    f"GET {_FW}/ipset/{{name}}/{{cidr}}": Call(keys(_ENTRY), _AUDIT),
    f"PUT {_FW}/ipset/{{name}}/{{cidr}}": Call(
        keys({**_ENTRY, "comment?": string(), "digest?": _DIGEST, "nomatch?": flag()}), _WRITE
    ),
    f"DELETE {_FW}/ipset/{{name}}/{{cidr}}": Call(keys({**_ENTRY, "digest?": _DIGEST}), _WRITE),
}
