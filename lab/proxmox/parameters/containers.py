"""The options of a container, as its configuration holds them and as property strings."""

from lab.proxmox.schema import Param, choice, flag, integer, keys, number, string

_MOUNT_OPTION = "(?:(discard|lazytime|noatime|nodev|noexec|nosuid))"

_VOLUME = {
    "volume": string("pve-lxc-mp-string", default_key=True),
    "acl?": flag(),
    "mountoptions?": string(pattern=f"(?:{_MOUNT_OPTION}(;{_MOUNT_OPTION})*)"),
    "quota?": flag(),
    "replicate?": flag(),
    "ro?": flag(),
    "shared?": flag(),
    "size?": string("disk-size"),
}
ROOTFS = keys(_VOLUME)
MOUNT = keys(
    {**_VOLUME, "backup?": flag(), "keepattrs?": flag(), "mp": string("pve-lxc-mp-string")}
)
DEVICE = keys(
    {
        "path?": string("pve-lxc-dev-string", default_key=True),
        "deny-write?": flag(),
        "gid?": integer(0),
        "mode?": string(pattern="0[0-7]{3}"),
        "uid?": integer(0),
    }
)
FEATURES = keys(
    {
        "force_rw_sys?": flag(),
        "fuse?": flag(),
        "keyctl?": flag(),
        "mknod?": flag(),
        "mount?": string(pattern="(?:[a-zA-Z0-9_; ]+)"),
        "nesting?": flag(),
    }
)
NETWORK = keys(
    {
        "name": string(pattern=r"[-_.\w\d]+"),
        "bridge?": string(pattern=r"[-_.\w\d]+"),
        "firewall?": flag(),
        "gw?": string("ipv4"),
        "gw6?": string("ipv6"),
        "host-managed?": flag(),
        "hwaddr?": string("mac-addr"),
        "ip?": string("pve-ipv4-config"),
        "ip6?": string("pve-ipv6-config"),
        "link_down?": flag(),
        "mtu?": integer(64, 65535),
        "rate?": number(),
        "tag?": integer(1, 4094),
        "trunks?": string(pattern=r"(?:\d+(?:;\d+)*)"),
        "type?": choice("veth"),
    }
)
UNUSED = keys({"volume": string("pve-volume-id", default_key=True)})

_CONTROL = r"\x00-\x08\x10-\x1F\x7F"

OPTIONS: dict[str, Param] = keys(
    {
        "arch?": choice("amd64", "i386", "arm64", "armhf", "riscv32", "riscv64"),
        "cmode?": choice("shell", "console", "tty"),
        "console?": flag(),
        "cores?": integer(1, 8192),
        "cpulimit?": number(0, 8192),
        "cpuunits?": integer(0, 500_000),
        "debug?": flag(),
        "description?": string(max_length=8192),
        "dev[n]?": string(DEVICE),
        "entrypoint?": string(pattern=f"(?:[^{_CONTROL}]+)"),
        "env?": string(pattern=rf"(?:(?:\w+=[^{_CONTROL}]*)(?:\0\w+=[^{_CONTROL}]*)*)"),
        "features?": string(FEATURES),
        "hookscript?": string("pve-volume-id"),
        "hostname?": string("dns-name", max_length=255),
        "lock?": choice(
            "backup",
            "create",
            "destroyed",
            "disk",
            "fstrim",
            "migrate",
            "mounted",
            "rollback",
            "snapshot",
            "snapshot-delete",
        ),
        "memory?": integer(16),
        "mp[n]?": string(MOUNT),
        "nameserver?": string("lxc-ip-with-ll-iface-list"),
        "net[n]?": string(NETWORK),
        "onboot?": flag(),
        "ostype?": choice(
            "debian",
            "devuan",
            "ubuntu",
            "centos",
            "fedora",
            "opensuse",
            "archlinux",
            "alpine",
            "gentoo",
            "nixos",
            "unmanaged",
        ),
        "protection?": flag(),
        "rootfs?": string(ROOTFS),
        "searchdomain?": string("dns-name-list"),
        "startup?": string("pve-startup-order"),
        "swap?": integer(0),
        "tags?": string("pve-tag-list"),
        "template?": flag(),
        "timezone?": string("pve-ct-timezone"),
        "tty?": integer(0, 6),
        "unprivileged?": flag(),
        "unused[n]?": string(UNUSED),
    }
)

INTEGERS = frozenset(
    name for name, param in OPTIONS.items() if param.kind in {"integer", "boolean"}
)
"""Options that are JSON numbers in an answer; all others are strings, `cpulimit` included."""
