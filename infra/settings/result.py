"""Settings as the rest of the program sees them: complete, checked, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from infra.release.project import Project
from infra.release.tree import Tree
from infra.settings.models import Container, Existing
from infra.settings.service import Service
from infra.settings.service_places import Places
from infra.settings.ways_result import (
    CloudflareAccess,
    TailnetSettings,
    TlsSettings,
    TunnelSettings,
)


@dataclass(frozen=True)
class ProxmoxAccess:
    """Where the Proxmox API is and who asks it: a token, or a user with a password."""

    endpoint: str
    insecure: bool
    api_token: pulumi.Output[str] | None = None
    username: str | None = None
    password: pulumi.Output[str] | None = None


@dataclass(frozen=True)
class SshKeys:
    """The private key that logs in, and every public key that is let in."""

    private_key: pulumi.Output[str] = field(repr=False)
    public_keys: tuple[str, ...]


@dataclass(frozen=True)
class ServiceSettings:
    """One service: what the stack file says, what its source holds, the values of its secrets.

    `secrets` are by the variables of the environment that they go into.
    """

    spec: Service
    places: Places
    tree: Tree
    project: Project
    secrets: Mapping[str, pulumi.Output[str]] = field(repr=False)
    tls: TlsSettings | None = None


@dataclass(frozen=True)
class Settings:
    """One stack. `proxmox` is None only where no container is declared.

    `tunnel` is None without routes; `cloudflare` is also there for what earlier ones left. The host
    key of each existing host is known. `warnings` are said at each preview.
    """

    id: str
    proxmox: ProxmoxAccess | None
    ssh: SshKeys
    containers: Mapping[str, Container]
    existing: Mapping[str, Existing]
    services: Mapping[str, ServiceSettings]
    root_passwords: Mapping[str, pulumi.Output[str]] = field(repr=False)
    replace: frozenset[str]
    remove: frozenset[str]
    cloudflare: CloudflareAccess | None
    tunnel: TunnelSettings | None
    tailnet: TailnetSettings | None
    warnings: tuple[str, ...]
