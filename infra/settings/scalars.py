"""The single values of a stack file, each with its form."""

import re
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from infra.settings.checks import Hint, Parsed, SaidError, matching

MARK_PREFIX = "berth+"
"""Tags that begin with this are ours alone: infra/guard/mark.py says what they mean."""
HOSTNAME_LIMIT = 64
_LABEL_LIMIT = 63

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DNS = rf"{_LABEL}(?:\.{_LABEL})*"
_ARCHIVE = r"\.tar(?:\.gz|\.xz|\.zst|\.bz2)?"
_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(\.{_OCTET}){{3}}"
_NOBODYS = (IPv4Network("0.0.0.0/8"), IPv4Network("240.0.0.0/4"))
_INTERFACE = 'must be an IPv4 address with its prefix length, such as "192.168.1.111/24"'


def _interface(text: str) -> IPv4Interface:
    if not re.fullmatch(r"[0-9.]+/(?:0|[1-9][0-9]*)", text):
        raise ValueError(text)
    interface = IPv4Interface(text)
    if interface.network.prefixlen < 8:
        raise SaidError("must have a prefix length of 8 to 32, since Proxmox takes no other")
    nobodys = any(interface.ip in network for network in _NOBODYS)
    if interface.is_loopback or interface.is_multicast or nobodys:
        raise SaidError("must be the address of one host on a network")
    network = interface.network
    if network.prefixlen < 31:
        if interface.ip == network.network_address:
            raise SaidError(f"must be the address of a host, not of the subnet {network} itself")
        if interface.ip == network.broadcast_address:
            raise SaidError(f"must be the address of a host, not the broadcast one of {network}")
    return interface


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "http":
        raise SaidError("must begin with https://, since Proxmox answers nothing else")
    if parts.scheme != "https" or parts.username or parts.port == 0:
        raise ValueError(text)
    _check_host(parts)
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise SaidError("must end after the port, without a path")
    return f"https://{parts.netloc}/"


def _check_host(parts: SplitResult) -> None:
    host = parts.hostname or ""
    if ":" in host:
        IPv6Address(host)
    else:
        _host_address(host)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or parts.port == 0 or re.search(r"\s", text):
        raise ValueError(text)
    _check_host(parts)
    if parts.username is not None or parts.password is not None:
        raise SaidError("must not hold a user or password", hidden=True)
    return text


def dns_name(text: str) -> str:
    if any(len(label) > _LABEL_LIMIT for label in text.split(".")):
        raise SaidError(
            f"must be a DNS name, whose parts have up to {_LABEL_LIMIT} characters each"
        )
    if len(text) <= 253 and re.fullmatch(DNS, text):
        if text.rpartition(".")[2].isdigit():
            raise SaidError("must be a DNS name, whose last part is never all digits")
        return text
    raise ValueError(text)


def _hostname(text: str) -> str:
    if len(text) > HOSTNAME_LIMIT:
        raise SaidError(f"must have at most {HOSTNAME_LIMIT} characters, since Linux takes no more")
    return dns_name(text)


def _host_address(text: str) -> str:
    return str(IPv4Address(text)) if re.fullmatch(r"[0-9.]+", text) else dns_name(text)


def _tag(text: str) -> str:
    if text.startswith(MARK_PREFIX):
        raise SaidError(
            f"must not begin with {MARK_PREFIX}, since such tags say which stack a container is of"
        )
    if re.fullmatch(r"[a-z0-9_][a-z0-9_+.-]*", text):
        return text
    raise ValueError(text)


Interface = Annotated[
    IPv4Interface,
    Parsed(_interface, _INTERFACE, {"pattern": rf"^{_IPV4}/(?:[89]|[12][0-9]|3[0-2])$"}),
]
Address = Annotated[
    IPv4Address,
    Parsed(
        IPv4Address,
        'must be an IPv4 address without a prefix, such as "192.168.1.1"',
        {"format": "ipv4", "pattern": f"^{_IPV4}$"},
    ),
]
HostAddress = Annotated[
    str,
    Parsed(
        _host_address,
        'must be an IPv4 address without a prefix, such as "192.168.1.20", or a DNS name',
        {"pattern": f"^{DNS}$"},
    ),
]
Endpoint = Annotated[
    str,
    Parsed(
        _endpoint,
        "must be the address of the Proxmox API, such as https://192.168.1.11:8006/",
        {"pattern": "^https://"},
    ),
]
Url = Annotated[
    str,
    Parsed(_url, "must be an http or https address", {"pattern": "^https?://"}),
]
DnsName = Annotated[
    str,
    Parsed(
        _hostname,
        "must be a DNS name: labels of A-Z, a-z, 0-9 and -, joined with dots",
        {"pattern": f"^{DNS}$", "maxLength": HOSTNAME_LIMIT},
    ),
]
Tag = Annotated[
    str,
    Parsed(
        _tag,
        "must be a tag of a-z, 0-9, _, +, . and -",
        {"pattern": r"^(?!berth\+)[a-z0-9_][a-z0-9_+.-]*$"},
    ),
]
StackId = Annotated[
    str,
    matching(r"[a-z][a-z0-9]{7}", "must be 8 characters of a-z and 0-9 that begin with a letter"),
]
HostName = Annotated[
    str,
    matching(
        r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?",
        "must be a name of up to 40 characters of a-z, 0-9 and -, "
        "with a letter first and no - at the end",
    ),
]
NodeName = Annotated[
    str, matching(_LABEL, "must be the name of a Proxmox node, as its web page shows it")
]
Bridge = Annotated[
    str, matching(r"[A-Za-z][A-Za-z0-9_.-]{0,14}", "must be the name of a bridge, such as vmbr0")
]
Storage = Annotated[
    str,
    matching(
        r"[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]", "must be the name of a storage, such as local-lvm"
    ),
]
Pool = Annotated[
    str, matching(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+){0,2}", "must be the name of a pool")
]
Volume = Annotated[
    str,
    matching(
        rf"[A-Za-z][A-Za-z0-9._-]*:vztmpl/[A-Za-z0-9_.+-]+{_ARCHIVE}",
        "must be a template volume, such as local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst",
    ),
]
FileName = Annotated[
    str,
    matching(
        rf"[A-Za-z0-9_.-]+{_ARCHIVE}",
        "must be a file name of A-Z, a-z, 0-9, _, . and - that ends in .tar, .tar.gz, .tar.xz, "
        ".tar.zst or .tar.bz2",
    ),
]
Checksum = Annotated[str, matching(r"[0-9a-fA-F]{32,128}", "must be a checksum in hex digits")]
UserName = Annotated[
    str, matching(r"[a-z_][a-z0-9_-]{0,31}", "must be the name of a user of the host")
]
Login = Annotated[
    str, matching(r"[^\s:/!@]+@[A-Za-z][A-Za-z0-9._-]+", "must be USER@REALM, such as root@pam")
]
SecretName = Annotated[
    str,
    matching(
        r"[A-Za-z][A-Za-z0-9_-]{0,63}",
        "must be the name of an entry of berth:secrets (A-Z, a-z, 0-9, _ and -), "
        "never the secret itself",
        hidden=True,
    ),
]
VmId = Annotated[int, Field(ge=100, le=999_999_999), Hint("Proxmox reserves 1-99")]
