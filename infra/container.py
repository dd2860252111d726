"""A container: what the stack file says of it, as the inputs of one resource."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_proxmoxve as proxmoxve

from infra.settings.models import Container as Spec


@dataclass(frozen=True)
class ContainerArgs:
    """`tags` has the mark that says whose it is; `download` brings its template.

    `may_replace` lets a smaller disk replace it. Keys and password are those of its first boot:
    later ones are written by a step (infra/login.py).
    """

    spec: Spec
    tags: list[str]
    download: pulumi.Resource | None
    public_keys: pulumi.Output[list[str]]
    root_password: pulumi.Output[str] | None = field(repr=False)
    hooks: pulumi.ResourceHookBinding | None
    may_replace: bool


class Container(pulumi.ComponentResource):
    """One LXC container. `address` is plain: it is known before the container is there."""

    def __init__(
        self, name: str, args: ContainerArgs, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        was = args.spec.was
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=formerly(was)))
        super().__init__("berth:infra:Container", name, {}, opts)
        self.address = str(args.spec.address.ip)
        self.container = proxmoxve.ContainerLegacy(
            f"{name}-container",
            **container_inputs(name, args),
            opts=pulumi.ResourceOptions(
                parent=self,
                # Said here too: a refused run may have made the component under its new name,
                # and then the engine does not look for its old children.
                aliases=formerly(was and f"{was}-container"),
                hooks=args.hooks,
                depends_on=[args.download] if args.download else None,
                # The new one has the id of the old one.
                delete_before_replace=True,
                # To the provider a change of these is a replacement; one that is made anew for
                # another reason gets those of now.
                ignore_changes=None if args.may_replace else ["initialization.userAccount"],
                # A disk cannot shrink, yet the provider calls that an update, and fails.
                replace_on_changes=["disk"] if args.may_replace else None,
            ),
        )
        self.register_outputs({"address": self.address})


def made_anew(container: proxmoxve.ContainerLegacy) -> list[pulumi.Input[str]]:
    """Changes when it is another container than before.

    One that was deleted behind our back comes again with its old id and another network card.
    """
    return [container.id, container.network_interfaces.apply(_network_card)]


def _network_card(
    interfaces: Sequence[proxmoxve.outputs.ContainerLegacyNetworkInterface] | None,
) -> str:
    return (interfaces[0].mac_address or "") if interfaces else ""


def formerly(was: str | None) -> list[pulumi.Alias]:
    """The names of a resource: what it is called now was called this."""
    return [pulumi.Alias(name=was)] if was else []


def container_inputs(name: str, args: ContainerArgs) -> dict[str, Any]:
    """The inputs of the resource. What Proxmox decides by itself is left out."""
    spec = args.spec
    return {
        "node_name": spec.node,
        "vm_id": spec.vm_id,
        "unprivileged": spec.unprivileged,
        "start_on_boot": spec.onboot,
        "started": True,
        "tags": args.tags,
        "pool_id": spec.pool,
        "cpu": proxmoxve.ContainerLegacyCpuArgs(cores=spec.cores),
        "memory": proxmoxve.ContainerLegacyMemoryArgs(dedicated=spec.memory_mb, swap=spec.swap_mb),
        "disk": proxmoxve.ContainerLegacyDiskArgs(datastore_id=spec.storage, size=spec.disk_gb),
        "features": proxmoxve.ContainerLegacyFeaturesArgs(nesting=True) if spec.nesting else None,
        "startup": (
            proxmoxve.ContainerLegacyStartupArgs(order=spec.start_order)
            if spec.start_order is not None
            else None
        ),
        "network_interfaces": [
            proxmoxve.ContainerLegacyNetworkInterfaceArgs(
                name="eth0", bridge=spec.bridge, vlan_id=spec.vlan
            )
        ],
        "operating_system": proxmoxve.ContainerLegacyOperatingSystemArgs(
            template_file_id=spec.template.id, type=spec.system
        ),
        "initialization": _initialization(name, args),
    }


def _initialization(name: str, args: ContainerArgs) -> proxmoxve.ContainerLegacyInitializationArgs:
    spec = args.spec
    return proxmoxve.ContainerLegacyInitializationArgs(
        hostname=spec.hostname or name,
        dns=(
            proxmoxve.ContainerLegacyInitializationDnsArgs(
                servers=[str(server) for server in spec.nameservers]
            )
            if spec.nameservers
            else None
        ),
        ip_configs=[
            proxmoxve.ContainerLegacyInitializationIpConfigArgs(
                ipv4=proxmoxve.ContainerLegacyInitializationIpConfigIpv4Args(
                    address=str(spec.address), gateway=str(spec.gateway)
                )
            )
        ],
        user_account=proxmoxve.ContainerLegacyInitializationUserAccountArgs(
            keys=args.public_keys, password=args.root_password
        ),
    )
