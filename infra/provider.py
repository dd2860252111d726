"""The Proxmox provider. Everything is passed on explicitly: nothing is left to the environment."""

import pulumi
import pulumi_proxmoxve as proxmoxve

from infra.settings import ProxmoxAccess


def proxmox_provider(access: ProxmoxAccess) -> proxmoxve.Provider:
    """The provider that makes this stack's containers."""
    return proxmoxve.Provider(
        "proxmox",
        endpoint=access.endpoint,
        insecure=access.insecure,
        api_token=access.api_token,
        username=access.username,
        password=access.password,
        opts=pulumi.ResourceOptions(),
    )
