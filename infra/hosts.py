"""All hosts of a stack: each is a component, and each says how to log in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pulumi

from infra.container import Container, ContainerArgs
from infra.existing_host import ExistingHost
from infra.guard.guard import Guard
from infra.provider import proxmox_provider
from infra.settings import Settings
from infra.template_file import TemplateFiles


@dataclass(frozen=True)
class Reached:
    """How a host is logged in to; what the stack exports of it."""

    kind: str
    address: str
    port: int
    user: str


def declare_hosts(settings: Settings, guard: Guard) -> dict[str, Reached]:
    """Make the components; returns how each host is reached, by name."""
    provider = proxmox_provider(settings.proxmox) if settings.proxmox else None
    templates = TemplateFiles(provider)
    hosts: dict[str, Reached] = {}
    for name, spec in settings.containers.items():
        container = Container(
            name,
            ContainerArgs(
                spec=spec,
                tags=guard.tags(name),
                download=templates.of(spec),
                public_keys=settings.ssh.public_keys,
                root_password=settings.root_passwords.get(name),
                hooks=guard.binding,
                may_replace=name in settings.replace,
            ),
            opts=pulumi.ResourceOptions(providers=[provider] if provider else None),
        )
        guard.settle(name, container.container)
        hosts[name] = Reached("container", container.address, 22, "root")
    for name, existing in settings.existing.items():
        host = ExistingHost(name, existing)
        hosts[name] = Reached("existing", host.address, host.port, host.user)
    return hosts


def exported(hosts: Mapping[str, Reached]) -> dict[str, dict[str, str | int]]:
    """The stack's output `hosts`."""
    return {name: asdict(host) for name, host in hosts.items()}
