"""What a template gets on top of debootstrap. Pure: paths and texts."""

import re

from lab.host.debian_mirror import Mirror

PACKAGES = (
    "ca-certificates", "curl", "dbus", "iproute2", "iputils-ping", "libpam-systemd", "netbase",
    "openssh-server", "procps", "python3", "python3-venv", "sudo", "systemd", "systemd-sysv",
)  # fmt: skip

_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_TRUST = {"SSL_CERT_FILE": _BUNDLE, "PIP_CERT": _BUNDLE, "REQUESTS_CA_BUNDLE": _BUNDLE}
"""pip and uv bring certificates of their own and would not trust what this machine trusts."""

_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\n.*?\n-----END CERTIFICATE-----\n?", re.DOTALL
)


def settings(mirror: Mirror, release: str) -> dict[str, str]:
    """Files that every template gets, by path."""
    environment = [f"{name}={value}" for name, value in _TRUST.items()]
    files = {
        "etc/apt/sources.list.d/debian.sources": mirror.sources(release),
        "etc/environment": "\n".join(environment) + "\n",
        "etc/systemd/system.conf.d/berth-lab.conf": (
            f"[Manager]\nDefaultEnvironment={' '.join(environment)}\n"
        ),
        "etc/sudoers.d/berth-lab": f'Defaults env_keep += "{" ".join(_TRUST)}"\n',
        # Images stay small, and installing is quick: nothing in a lab survives a power cut.
        "etc/dpkg/dpkg.cfg.d/berth-lab": (
            "force-unsafe-io\n"
            "path-exclude=/usr/share/doc/*\n"
            "path-include=/usr/share/doc/*/copyright\n"
            "path-exclude=/usr/share/man/*\n"
            "path-exclude=/usr/share/locale/*\n"
            "path-include=/usr/share/locale/locale.alias\n"
        ),
    }
    if mirror.options:
        files["etc/apt/apt.conf.d/90berth-lab"] = "\n".join(mirror.options) + "\n"
    return files


def added_certificates(machine: str, guest: str) -> dict[str, str]:
    """Certificates that this machine trusts and Debian does not, as files, by path."""
    known = {_body(found) for found in _CERTIFICATE.findall(guest)}
    added = [found for found in _CERTIFICATE.findall(machine) if _body(found) not in known]
    return {
        f"usr/local/share/ca-certificates/berth-lab-{number}.crt": text.rstrip("\n") + "\n"
        for number, text in enumerate(added, start=1)
    }


def _body(certificate: str) -> str:
    return "".join(certificate.split("-----")[2].split())
