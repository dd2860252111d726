"""All hosts of a stack: each is a component, and each says how to log in."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_proxmoxve as proxmoxve

from infra import remote
from infra.container import Container, ContainerArgs, formerly, made_anew
from infra.existing_host import ExistingHost
from infra.guard.guard import Guard
from infra.guard.steps import StepHooks
from infra.login import Login, LoginArgs, LoginKeys
from infra.provider import proxmox_provider
from infra.remote import Access
from infra.settings import Settings
from infra.template_file import TemplateFiles

ROOT_HOME = "/var/lib/berth"
USER_HOME = ".berth"
"""Below the home of a user who is not root, since copies are made without sudo."""


@dataclass(frozen=True)
class Host:
    """A host, and how steps reach it. `login` is None where nothing of its login is ours.

    `was` is what it was called before.
    """

    name: str
    kind: str
    access: Access
    container: proxmoxve.ContainerLegacy | None
    login: Login | None
    hooks: StepHooks
    steps: pulumi.ProviderResource | None
    was: str | None = None

    @property
    def home(self) -> str:
        """Where what is sent to it goes."""
        return ROOT_HOME if self.access.is_root else USER_HOME

    @property
    def made_anew(self) -> list[pulumi.Input[str]]:
        """Changes when the name stands for another machine than before: all is done again there."""
        return [self.name] if self.container is None else made_anew(self.container)

    @property
    def moved(self) -> list[pulumi.Input[str]]:
        """Changes when the name stands for another place: what was in the last one is undone.

        In a container that was lost and is made again in its place, nothing is left to undo.
        """
        return [self.name if self.container is None else self.container.id]

    def below(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a step on this host: it goes with the container, and waits for its login."""
        return pulumi.ResourceOptions(
            parent=parent,
            provider=self.steps,
            deleted_with=self.container,
            hooks=self.hooks.any,
            depends_on=[self.login.let_in] if self.login else None,
        )


def declare_hosts(
    settings: Settings, guard: Guard, keys: LoginKeys, hooks: StepHooks
) -> dict[str, Host]:
    """Make the components; returns how each host is reached, by name. `hooks` are for steps."""
    provider = proxmox_provider(settings.proxmox) if settings.proxmox else None
    steps = remote.provider() if settings.containers or settings.services else None
    templates = TemplateFiles(provider)
    hosts: dict[str, Host] = {}
    for name, spec in settings.containers.items():
        made = Container(
            name,
            ContainerArgs(
                spec=spec,
                tags=guard.tags(name),
                download=templates.of(spec),
                public_keys=keys.public_keys,
                root_password=settings.root_passwords.get(name),
                hooks=guard.binding,
                may_replace=name in settings.replace,
            ),
            opts=pulumi.ResourceOptions(providers=[provider] if provider else None),
        )
        guard.settle(name, made.container)
        login = Login(
            name,
            LoginArgs(
                made.address,
                made.container,
                keys,
                settings.root_passwords.get(name),
                hooks.any,
                spec.was,
            ),
            opts=pulumi.ResourceOptions(
                aliases=formerly(spec.was), providers=[steps] if steps else None
            ),
        )
        hosts[name] = Host(
            name, "container", login.access, made.container, login, hooks, steps, spec.was
        )
    for name, existing in settings.existing.items():
        there = ExistingHost(name, existing)
        access = Access(there.address, there.port, there.user, keys.now, there.host_key)
        hosts[name] = Host(name, "existing", access, None, None, hooks, steps)
    return hosts


def exported(hosts: Mapping[str, Host]) -> dict[str, dict[str, str | int]]:
    """The stack's output `hosts`."""
    return {
        name: {
            "kind": host.kind,
            "address": host.access.address,
            "port": host.access.port,
            "user": host.access.user,
        }
        for name, host in hosts.items()
    }


def logins(hosts: Mapping[str, Host]) -> list[pulumi.CustomResource]:
    """The steps that log in to hosts for their login alone."""
    return [host.login.let_in for host in hosts.values() if host.login]
