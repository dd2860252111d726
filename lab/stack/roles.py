"""What a stack file says about its providers and login key, and what it leaves open."""

from dataclasses import dataclass, field

from lab.stack.clouds import CloudRoles
from lab.stack.tree import Node, at, text_at

SECRETS = "berth:secrets"
_PROXMOX = "berth:proxmox"
_SSH = "berth:ssh"


@dataclass(frozen=True)
class Roles:
    """Values of a stack file that have a meaning in the lab; None where it states none.

    `api_token`, `password` and `private_key` are names of entries of `berth:secrets`.
    """

    endpoint: str | None = None
    api_token: str | None = None
    username: str | None = None
    password: str | None = None
    private_key: str | None = None
    clouds: CloudRoles = field(default_factory=CloudRoles)

    @classmethod
    def of(cls, root: Node | None) -> "Roles":
        """Read from a document's tree; anything of another shape counts as not stated."""
        return cls(
            endpoint=text_at(endpoint_node(root)),
            api_token=text_at(root, "config", _PROXMOX, "api_token"),
            username=text_at(username_node(root)),
            password=text_at(root, "config", _PROXMOX, "password"),
            private_key=text_at(root, "config", _SSH, "private_key"),
            clouds=CloudRoles.of(root),
        )


def endpoint_node(root: Node | None) -> Node | None:
    """Where the stack file says at which address Proxmox answers, an alias as it stands."""
    return at(root, "config", _PROXMOX, "endpoint")


def username_node(root: Node | None) -> Node | None:
    """Where the stack file says who logs in to Proxmox, an alias as it stands."""
    return at(root, "config", _PROXMOX, "username")
