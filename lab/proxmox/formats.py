"""The named formats of parameters: what each accepts, and Proxmox's words when it does not."""

import re
from collections.abc import Callable
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    NetmaskValueError,
)

Check = Callable[[str], None]


class FormatError(Exception):
    """A value is not of the format; the text has no newline at its end."""


_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}\Z")
_SAFE_ID = r"[A-Za-z][A-Za-z0-9.\-_]+"
USER_ID = re.compile(rf"([^\s:/]+)@({_SAFE_ID})\Z")
TOKEN_ID = re.compile(rf"([^\s:/]+)@({_SAFE_ID})!({_SAFE_ID})\Z")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)\Z")
_FACTORS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def size_bytes(text: str) -> int:
    """Bytes of a disk size such as `8G`; raises FormatError."""
    if not (match := _SIZE.match(text)):
        raise FormatError(f"unable to parse size '{text}'")
    return int(float(match[1]) * _FACTORS[match[2]])


def _pattern(pattern: str, text: str) -> Check:
    compiled = re.compile(rf"(?:{pattern})\Z", re.ASCII)

    def check(value: str) -> None:
        if not compiled.match(value):
            raise FormatError(text.replace("{}", value))

    return check


def _parses(parse: Callable[[str], object], text: str, *words: str) -> Check:
    def check(value: str) -> None:
        if value in words:
            return
        try:
            parse(value)
        except (AddressValueError, NetmaskValueError, ValueError):
            raise FormatError(text.replace("{}", value)) from None

    return check


def _cidr4(value: str) -> IPv4Interface:
    if "/" not in value:
        raise AddressValueError(value)
    return IPv4Interface(value)


def _cidr6(value: str) -> IPv6Interface:
    if "/" not in value:
        raise AddressValueError(value)
    return IPv6Interface(value)


def _address(value: str) -> IPv4Address | IPv6Address:
    return IPv6Address(value) if ":" in value else IPv4Address(value)


def _address_or_cidr(value: str) -> object:
    return _address(value) if "/" not in value else _cidr6(value) if ":" in value else _cidr4(value)


def _address_or_alias(value: str) -> object:
    if re.match(r"(?:dc/|guest/)?[A-Za-z][A-Za-z0-9\-_]+\Z", value):
        return value
    return _address_or_cidr(value)


def _dns_name(value: str) -> None:
    if not _NAME.match(value):
        raise FormatError("value does not look like a valid DNS name")


def _mac(value: str) -> None:
    if not re.match(r"[a-fA-F0-9][02468aceACE](?::[a-fA-F0-9]{2}){5}\Z", value):
        raise FormatError("value does not look like a valid unicast MAC address")


def _startup(value: str) -> None:
    parse_startup(value)


def parse_startup(value: str) -> dict[str, int]:
    """`order`, `up` and `down` of a startup string; raises FormatError."""
    found: dict[str, int] = {}
    for part in value.split(","):
        text = part.strip()
        match = re.match(r"(?:(order|up|down)=)?(\d+)\Z", text, re.ASCII)
        if not match or (found and not match[1]):
            raise FormatError("unable to parse startup options")
        found[match[1] or "order"] = int(match[2])
    return found


def _mount_path(value: str) -> None:
    if re.search(r"(?:^|/)\.\.?(?:/|\Z)", value):
        raise FormatError("mount point path contains '.' or '..' components")


def _device(value: str) -> None:
    if not value.startswith("/dev/"):
        raise FormatError(f"'{value}' is not a valid device path, must start with '/dev/'")
    if re.search(r"(?:^|/)\.\.?(?:/|\Z)", value):
        raise FormatError("device path contains '.' or '..' components")


def _address_spec(value: str) -> None:
    if value.startswith("+"):
        return
    for text in filter(None, (part.strip() for part in value.split(","))):
        low, dash, high = text.partition("-")
        try:
            if dash and re.match(r"[\d.:a-fA-F]+\Z", low) and not re.search(r"[g-zG-Z_]", text):
                _address(low)
                _address(high)
            else:
                _address_or_alias(text)
        except ValueError:
            raise FormatError(f"invalid network '{text}'") from None


def _ports(value: str) -> None:
    for part in filter(None, value.split(",")):
        low, _, high = part.partition(":")
        for port in filter(None, (low, high)):
            if port.isdigit() and int(port) > 65535:
                raise FormatError(f"invalid port '{port}'")
            if not port.isdigit() and not re.match(r"[a-z][a-z0-9+_.\-]*\Z", port):
                raise FormatError(f"invalid port '{port}'")
        if not low:
            raise FormatError("empty port specification")


_ICMP = (  # noqa: SIM905 - a list of words
    "any echo-reply destination-unreachable network-unreachable host-unreachable "
    "protocol-unreachable port-unreachable fragmentation-needed source-route-failed "
    "source-quench redirect echo-request router-advertisement router-solicitation "
    "time-exceeded parameter-problem timestamp-request timestamp-reply "
    "packet-too-big neighbour-solicitation neighbour-advertisement"
).split()


def _icmp(value: str) -> None:
    if value and value not in _ICMP and not re.match(r"\d{1,3}(?:/\d{1,3})?\Z", value):
        raise FormatError(f"invalid icmp-type '{value}'")


_PROTOCOLS = (  # noqa: SIM905 - a list of words
    "ah ax.25 dccp ddp egp eigrp encap esp etherip fc ggp gre hip hmp hopopt icmp icmpv6 idpr-cmtp "
    "idrp igmp igp ip ipcomp ipencap ipip ipv6 ipv6-frag ipv6-icmp ipv6-nonxt ipv6-opts ipv6-route "
    "isis iso-tp4 l2tp manet mobility-header mpls-in-ip ospf pim pup rdp rohc rspf rsvp sctp "
    "shim6 skip st tcp udp udplite vmtp vrrp wesp xns-idp xtp"
).split()


def _protocol(value: str) -> None:
    if value and value not in _PROTOCOLS and not (value.isdigit() and int(value) < 256):
        raise FormatError(f"unknown protocol '{value}'")


def _size(value: str) -> None:
    size_bytes(value)


CHECKS: dict[str, Check] = {
    "CIDRv4": _parses(_cidr4, "value does not look like a valid IPv4 network"),
    "IPorCIDR": _parses(_address_or_cidr, "value does not look like a valid IP address or network"),
    "IPorCIDRorAlias": _parses(
        _address_or_alias, "value does not look like a valid IP address, network or alias"
    ),
    "disk-size": _size,
    "dns-name": _dns_name,
    "email-opt": _pattern(
        r"|[\w+\-~]+(?:\.[\w+\-~]+)*@[a-zA-Z0-9\-]+(?:\.[a-zA-Z0-9\-]+)*",
        "value does not look like a valid email address",
    ),
    "ipv4": _parses(IPv4Address, "value does not look like a valid IPv4 address"),
    "ipv6": _parses(IPv6Address, "value does not look like a valid IPv6 address"),
    "lxc-ip-with-ll-iface": _parses(
        lambda value: _address(value) if not value.startswith("fe80:") else IPv6Address(value),
        "value does not look like a valid IP address",
        "host",
    ),
    "mac-addr": _mac,
    "pve-configid": _pattern(r"[A-Za-z][A-Za-z0-9_-]+", "invalid configuration ID '{}'"),
    "pve-ct-timezone": _pattern(
        r"[A-Za-z0-9_+\-]+(?:/[A-Za-z0-9_+\-]+)*", "invalid time zone '{}'"
    ),
    "pve-fw-addr-spec": _address_spec,
    "pve-fw-dport-spec": _ports,
    "pve-fw-icmp-type-spec": _icmp,
    "pve-fw-protocol-spec": _protocol,
    "pve-fw-sport-spec": _ports,
    "pve-groupid": _pattern(r"[A-Za-z0-9.\-_]+", "group name '{}' contains invalid characters"),
    "pve-iface": _pattern(
        r"[a-zA-Z][a-zA-Z0-9_]{1,20}(?:[:.]\d+)?", "invalid network interface name '{}'"
    ),
    "pve-ipv4-config": _parses(
        _cidr4, "value does not look like a valid ipv4 network configuration", "dhcp", "manual"
    ),
    "pve-ipv6-config": _parses(
        _cidr6,
        "value does not look like a valid ipv6 network configuration",
        "auto",
        "dhcp",
        "manual",
    ),
    "pve-lxc-dev-string": _device,
    "pve-lxc-mp-string": _mount_path,
    "pve-node": _pattern(
        r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?", "value does not look like a valid node name"
    ),
    "pve-poolid": _pattern(
        r"[A-Za-z0-9.\-_]+(?:/[A-Za-z0-9.\-_]+){0,2}",
        "pool name '{}' contains invalid characters",
    ),
    "pve-priv": _pattern(r"[A-Za-z]+(?:\.[A-Za-z]+)*", "invalid privilege '{}'"),
    "pve-realm": _pattern(_SAFE_ID, "value does not look like a valid realm"),
    "pve-roleid": _pattern(r"[A-Za-z0-9.\-_]+", "role name '{}' contains invalid characters"),
    "pve-startup-order": _startup,
    "pve-storage-content": _pattern(
        r"images|rootdir|vztmpl|iso|backup|snippets|import|none", "invalid content type '{}'"
    ),
    "pve-storage-id": _pattern(
        r"[A-Za-z][A-Za-z0-9\-_.]*[A-Za-z0-9]", "storage ID '{}' contains illegal characters"
    ),
    "pve-tag": _pattern(r"[A-Za-z0-9_][A-Za-z0-9_\-+.]*", "invalid characters in tag"),
    "pve-task-status-type": _pattern(r"ok|error|warning|unknown", "invalid task status type '{}'"),
    "pve-tokenid": _pattern(TOKEN_ID.pattern, "value '{}' does not look like a valid token ID"),
    "pve-userid": _pattern(USER_ID.pattern, "value '{}' does not look like a valid user name"),
    "pve-vmid": _pattern(r"[1-9][0-9]{2,8}", "value does not look like a valid VM ID"),
    "pve-volume-id": _pattern(
        r"[A-Za-z][A-Za-z0-9\-_.]*[A-Za-z0-9]:.+", "unable to parse volume ID '{}'"
    ),
}


def check_format(name: str, value: str) -> None:
    """Raise FormatError unless `value` is of the format; `-list` formats take several values."""
    if (base := name.removesuffix("-list")) != name:
        for part in split_list(value):
            CHECKS[base](part)
        return
    CHECKS[name](value)


def split_list(value: str) -> list[str]:
    """The parts of a list value: separated by commas, semicolons, blanks or NUL."""
    return [part for part in re.split(r"[,;\s\0]+", value) if part]
