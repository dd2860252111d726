"""From a configuration to what the containers' side needs to run it."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

from lab.guests import Device, GuestSpec, NetworkInterface, Volume
from lab.proxmox.containers.values import Mount, device, features, is_volume_key, network
from lab.proxmox.core import guest_key
from lab.proxmox.errors import died
from lab.proxmox.formats import split_list
from lab.proxmox.storage.storages import Storages

DEFAULT_MEMORY_MB = 512


def guest_spec(vmid: int, config: Mapping[str, str], storages: Storages) -> GuestSpec:
    """The container that `config` describes; its volumes must have names already."""
    mounts = [_volume(key, config[key], storages) for key in _mount_keys(config)]
    return GuestSpec(
        key=guest_key(vmid),
        hostname=config.get("hostname", f"CT{vmid}"),
        rootfs=_volume("rootfs", config["rootfs"], storages),
        mounts=tuple(mounts),
        interfaces=tuple(_interface(config[key]) for key in _numbered(config, "net")),
        devices=tuple(_device(config[key]) for key in _numbered(config, "dev")),
        cores=int(config["cores"]) if "cores" in config else None,
        cpulimit=float(config.get("cpulimit", "0")),
        memory_mb=int(config.get("memory", DEFAULT_MEMORY_MB)),
        swap_mb=int(config.get("swap", DEFAULT_MEMORY_MB)),
        nameservers=tuple(split_list(config.get("nameserver", ""))),
        searchdomain=config.get("searchdomain"),
        unprivileged=config.get("unprivileged") == "1",
        nesting=features(config.get("features", "")).get("nesting") == "1",
    )


def bridges_of(config: Mapping[str, str]) -> list[str]:
    """The bridges that the networks of a configuration name."""
    found = [network(config[key]).get("bridge") for key in _numbered(config, "net")]
    return [bridge for bridge in found if bridge]


def require_bridges(config: Mapping[str, str], known: Mapping[str, object]) -> None:
    """Raise Proxmox's 500 for the first bridge that is not there."""
    for bridge in bridges_of(config):
        if bridge not in known:
            raise died(f"bridge '{bridge}' does not exist")


def _numbered(config: Mapping[str, str], prefix: str) -> list[str]:
    keys = [key for key in config if key.startswith(prefix) and key[len(prefix) :].isdigit()]
    return sorted(keys, key=lambda key: int(key[len(prefix) :]))


def _mount_keys(config: Mapping[str, str]) -> list[str]:
    return [key for key in _numbered(config, "mp") if is_volume_key(key)]


def _volume(key: str, text: str, storages: Storages) -> Volume:
    mount = Mount.parse(key, text)
    volume = storages.volume(mount.volume)
    return Volume(
        volid=str(volume),
        image=storages.path(volume),
        size_bytes=mount.size,
        mount_path=mount.path,
        read_only=mount.read_only,
    )


def _interface(text: str) -> NetworkInterface:
    values = network(text)
    ip, ip6 = values.get("ip", "manual"), values.get("ip6", "manual")
    return NetworkInterface(
        name=values["name"],
        bridge=values.get("bridge", ""),
        hwaddr=values["hwaddr"],
        ipv4=None if ip in {"manual", "dhcp"} else IPv4Interface(ip),
        gateway4=IPv4Address(values["gw"]) if "gw" in values else None,
        ipv6=None if ip6 in {"manual", "dhcp", "auto"} else IPv6Interface(ip6),
        gateway6=IPv6Address(values["gw6"]) if "gw6" in values else None,
        dhcp4=ip == "dhcp",
        vlan=int(values["tag"]) if "tag" in values else None,
        mtu=int(values["mtu"]) if "mtu" in values else None,
        link_down=values.get("link_down") == "1",
    )


def _device(text: str) -> Device:
    values = device(text)
    return Device(
        path=values["path"],
        mode=int(values["mode"], 8) if "mode" in values else None,
        uid=int(values.get("uid", "0")),
        gid=int(values.get("gid", "0")),
    )
