"""What a stack file says about its providers and login key, and what it leaves open."""

from dataclasses import dataclass

from lab.stack.tree import Mapping, Node, Scalar, resolve

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

    @classmethod
    def of(cls, root: Node | None) -> "Roles":
        """Read from a document's tree; anything of another shape counts as not stated."""
        return cls(
            endpoint=_text(endpoint_node(root)),
            api_token=_text(_at(root, "config", _PROXMOX, "api_token")),
            username=_text(username_node(root)),
            password=_text(_at(root, "config", _PROXMOX, "password")),
            private_key=_text(_at(root, "config", _SSH, "private_key")),
        )


def endpoint_node(root: Node | None) -> Node | None:
    """Where the stack file says at which address Proxmox answers, an alias as it stands."""
    return _at(root, "config", _PROXMOX, "endpoint")


def username_node(root: Node | None) -> Node | None:
    """Where the stack file says who logs in to Proxmox, an alias as it stands."""
    return _at(root, "config", _PROXMOX, "username")


def _at(node: Node | None, *keys: str) -> Node | None:
    for key in keys:
        mapping = resolve(node) if node is not None else None
        node = mapping.get(key) if isinstance(mapping, Mapping) else None
    return node


def _text(node: Node | None) -> str | None:
    scalar = resolve(node) if node is not None else None
    if isinstance(scalar, Scalar) and scalar.is_string and scalar.value:
        return scalar.value
    return None
