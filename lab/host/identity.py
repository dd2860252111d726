"""What makes a container this one: names, addresses, keys, users. Pure: steps for `furnish.py`."""

import ctypes
import ctypes.util
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.guests import Access, GuestSpec, NetworkInterface
from lab.host.furnish import Step

_LOCAL = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
_FIRST_USER_ID = 1000


@dataclass(frozen=True)
class HostKey:
    """A host key of sshd: the name of its file, the private half, the public line."""

    file: str
    private: str
    public: str


def new_host_keys(comment: str) -> tuple[HostKey, ...]:
    """An ed25519 and an ECDSA key; RSA takes longer than all the rest of a start."""
    made: list[tuple[str, Ed25519PrivateKey | ec.EllipticCurvePrivateKey]] = [
        ("ed25519", Ed25519PrivateKey.generate()),
        ("ecdsa", ec.generate_private_key(ec.SECP256R1())),
    ]
    return tuple(
        HostKey(
            file=f"/etc/ssh/ssh_host_{kind}_key",
            private=key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.OpenSSH,
                serialization.NoEncryption(),
            ).decode(),
            public=key.public_key()
            .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
            .decode()
            + f" {comment}\n",
        )
        for kind, key in made
    )


def first_steps(access: Access, host_keys: tuple[HostKey, ...]) -> list[Step]:
    """Once, after unpacking: who may log in, and as what the machine shows itself."""
    steps: list[Step] = [
        {
            "do": "expect-one-of",
            "paths": ["/etc/os-release", "/etc/debian_version", "/usr/lib/os-release"],
            "else": "unable to detect OS distribution",
        },
        {"do": "write", "path": "/etc/machine-id", "text": "", "mode": 0o444},
    ]
    for key in host_keys:
        steps += [
            {
                "do": "write", "within": "/etc/ssh",
                "path": key.file, "text": key.private, "mode": 0o600,
            },
            {"do": "write", "within": "/etc/ssh", "path": f"{key.file}.pub", "text": key.public},
        ]  # fmt: skip
    if access.ssh_public_keys:
        steps += _authorized_keys("/root", 0, access.ssh_public_keys)
    if access.password is not None:
        steps.append(_shadow("root", hashed(access.password)))
    return steps


def trust_steps(certificate: str, settings: Mapping[str, str]) -> list[Step]:
    """Let it trust the lab, whose gateway hands out packages; `settings` are for every program."""
    environment = "".join(f'{name}="{value}"\n' for name, value in settings.items())
    steps: list[Step] = [
        {
            "do": "write",
            "within": "/usr/local/share/ca-certificates",
            "path": "/usr/local/share/ca-certificates/berth-lab.crt",
            "text": certificate,
        },
        {"do": "append", "path": "/etc/ssl/certs/ca-certificates.crt", "text": certificate},
    ]
    if environment:
        steps.append({"do": "append", "path": "/etc/environment", "text": environment})
    return steps


def user_steps(names: tuple[str, ...], public_keys: tuple[str, ...]) -> list[Step]:
    """Users with a home, a login key and sudo without a password; `root` has these already."""
    steps: list[Step] = []
    for number, name in enumerate((n for n in names if n != "root"), start=_FIRST_USER_ID):
        home = f"/home/{name}"
        steps += [
            {
                "do": "line", "path": "/etc/passwd", "key": name,
                "text": f"{name}:x:{number}:{number}::{home}:/bin/bash",
            },
            {
                "do": "line", "path": "/etc/group", "key": name,
                "text": f"{name}:x:{number}:",
            },
            _shadow(name, "*"),
            {
                "do": "directory", "path": home,
                "mode": 0o755, "uid": number, "gid": number,
            },
            *_authorized_keys(home, number, public_keys),
            {
                "do": "write", "path": f"/etc/sudoers.d/{name}",
                "text": f"{name} ALL=(ALL:ALL) NOPASSWD: ALL\n", "mode": 0o440,
            },
        ]  # fmt: skip
    return steps


def ssh_port_steps(port: int) -> list[Step]:
    """Make sshd listen at `port`."""
    if port == 22:
        return []
    return [{"do": "write", "path": "/etc/ssh/sshd_config.d/port.conf", "text": f"Port {port}\n"}]


def boot_steps(spec: GuestSpec, nameservers: tuple[str, ...]) -> list[Step]:
    """At each start, as Proxmox does: names and addresses as the configuration has them now."""
    name, _, domain = spec.hostname.partition(".")
    domain = domain or spec.searchdomain or ""
    names = f"{name}.{domain} {name}" if domain else name
    own = [f"{card.ipv4.ip} {names}" for card in spec.interfaces if card.ipv4][:1]
    own += [f"{card.ipv6.ip} {names}" for card in spec.interfaces if card.ipv6][:1]
    resolver = [f"search {spec.searchdomain}"] if spec.searchdomain else []
    resolver += [f"nameserver {server}" for server in nameservers]
    steps: list[Step] = [
        {"do": "write", "path": "/etc/hostname", "text": f"{name}\n"},
        {"do": "block", "path": "/etc/hosts", "text": _LOCAL + "\n".join(own)},
        {"do": "write", "path": "/etc/resolv.conf", "text": "\n".join(resolver) + "\n"},
        {
            "do": "write",
            "within": "/etc/network",
            "path": "/etc/network/interfaces",
            "text": _ifupdown(spec.interfaces),
        },
    ]
    steps += [
        {
            "do": "write",
            "within": "/etc/systemd/network",
            "path": f"/etc/systemd/network/{card.name}.network",
            "text": _networkd(card),
        }
        for card in spec.interfaces
    ]
    return steps


def hashed(password: str) -> str:
    """`password` as /etc/shadow has it (SHA-512), by the C library that checks it."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    salt = f"$6${secrets.token_hex(8)}$"
    made: bytes | None = library.crypt(password.encode(), salt.encode())
    if made is None or made.startswith(b"*"):
        raise ValueError("the C library cannot hash this password")
    return made.decode()


def _shadow(name: str, hash_: str) -> Step:
    text = f"{name}:{hash_}:19000:0:99999:7:::"
    return {"do": "line", "path": "/etc/shadow", "key": name, "text": text}


def _authorized_keys(home: str, uid: int, keys: tuple[str, ...]) -> list[Step]:
    owner = {"uid": uid, "gid": uid}
    text = "".join(f"{key.strip()}\n" for key in keys)
    path = f"{home}/.ssh/authorized_keys"
    return [
        {"do": "directory", "path": f"{home}/.ssh", "mode": 0o700, **owner},
        {"do": "write", "path": path, "text": text, "mode": 0o600, **owner},
    ]


def _ifupdown(cards: tuple[NetworkInterface, ...]) -> str:
    """For systems with ifupdown; LXC has set everything before, so it must only not undo it."""
    parts = ["auto lo\niface lo inet loopback\n"]
    for card in cards:
        if card.ipv4:
            lines = [f"auto {card.name}", f"iface {card.name} inet static"]
            lines.append(f"\taddress {card.ipv4}")
            lines += [f"\tgateway {card.gateway4}"] if card.gateway4 else []
        else:
            way = "dhcp" if card.dhcp4 else "manual"
            lines = [f"auto {card.name}", f"iface {card.name} inet {way}"]
        if card.ipv6:
            lines += [f"iface {card.name} inet6 static", f"\taddress {card.ipv6}"]
            lines += [f"\tgateway {card.gateway6}"] if card.gateway6 else []
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _networkd(card: NetworkInterface) -> str:
    lines = [
        "[Match]", f"Name={card.name}", "", "[Network]",
        f"DHCP={'ipv4' if card.dhcp4 else 'no'}", "IPv6AcceptRA=false",
    ]  # fmt: skip
    lines += [f"Address={address}" for address in (card.ipv4, card.ipv6) if address]
    lines += [f"Gateway={gateway}" for gateway in (card.gateway4, card.gateway6) if gateway]
    return "\n".join(lines) + "\n"
