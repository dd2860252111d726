"""The world file as frozen models. Shapes and cross-field rules; nothing here reads a file."""

from ipaddress import IPv4Address, IPv4Interface
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from lab.world.base import DnsName, Name
from lab.world.cloudflare import Cloudflare
from lab.world.coherence import problems
from lab.world.tailscale import Tailscale

StorageName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]$")]
BridgeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{1,9}$")]
UserId = Annotated[str, StringConstraints(pattern=r"^[^\s:/!@]+@(pam|pve)$")]
TokenName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._-]+$")]
Privilege = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+(\.[A-Za-z]+)+$")]
RoleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$")]
PoolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){0,2}$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_+.-]*$")]
AclPath = Annotated[
    str,
    StringConstraints(pattern=r"^/"),
    AfterValidator(lambda path: "/" + "/".join(part for part in path.split("/") if part)),
]
Release = Literal["trixie", "bookworm"]
Content = Literal["rootdir", "images", "vztmpl", "iso", "backup", "snippets", "import"]


class Model(BaseModel):
    """Frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bridge(Model):
    """A bridge of the node; the lab itself is the router at each of `routers`."""

    routers: tuple[IPv4Interface, ...] = Field(min_length=1)
    vlans: dict[Annotated[int, Field(ge=1, le=4094)], tuple[IPv4Interface, ...]] = {}


class Node(Model):
    """The one Proxmox node; `cores`, `memory_mb` are what its API reports, not this machine's.

    `dns_names` are further names at which it answers: those that stack files use for it.
    """

    name: Name
    address: IPv4Interface
    gateway: IPv4Address
    bridge: BridgeName
    port: int = Field(default=8006, ge=1, le=65535)
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")] = "9.1.4"
    cores: int = Field(default=8, ge=1)
    memory_mb: int = Field(default=32768, ge=512)
    dns_names: tuple[DnsName, ...] = ()


class Storage(Model):
    """A storage of the node with a size of its own."""

    type: Literal["dir", "lvmthin", "zfspool"]
    content: tuple[Content, ...] = Field(min_length=1)
    size_gb: int = Field(ge=1)
    enabled: bool = True


class Template(Model):
    """A container template that is on a storage already, made by debootstrap.

    `stands_in_for` says which system its name promises where `release` is another.
    """

    volume: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][\w.-]*:vztmpl/[\w.+-]+$")]
    release: Release
    stands_in_for: str | None = None


class Token(Model):
    """An API token; without `secret` the lab makes one and keeps it."""

    secret: (
        Annotated[
            str,
            StringConstraints(
                pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
            ),
        ]
        | None
    ) = None
    privilege_separation: bool = True


class User(Model):
    """A user of Proxmox; without `password` the lab makes one and keeps it."""

    password: str | None = None
    enabled: bool = True
    tokens: dict[TokenName, Token] = {}


class AclEntry(Model):
    """`role` on `path`, for a user or a token (`user@realm!token`)."""

    path: AclPath
    subject: str
    role: str
    propagate: bool = True


class Guest(Model):
    """A container that somebody else made before; `kind` qemu is a record only."""

    vm_id: int = Field(ge=100, le=999_999_999)
    name: Name
    kind: Literal["lxc", "qemu"] = "lxc"
    tags: tuple[Tag, ...] = ()


class Proxmox(Model):
    """The node, what is on it and who may use it."""

    node: Node
    bridges: dict[BridgeName, Bridge] = Field(min_length=1)
    storages: dict[StorageName, Storage] = Field(min_length=1)
    templates: tuple[Template, ...] = ()
    roles: dict[RoleName, tuple[Privilege, ...]] = {}
    users: dict[UserId, User]
    acl: tuple[AclEntry, ...] = ()
    pools: tuple[PoolName, ...] = ()
    guests: tuple[Guest, ...] = ()


class Host(Model):
    """A machine that exists already: a container of the lab that the Proxmox API does not show.

    `started` false keeps it off until `lab start NAME`.
    """

    address: IPv4Interface
    gateway: IPv4Address
    bridge: BridgeName
    release: Release = "trixie"
    ssh_port: int = Field(default=22, ge=1, le=65535)
    users: tuple[Name, ...] = ("root",)
    disk_gb: int = Field(default=8, ge=2)
    memory_mb: int = Field(default=2048, ge=128)
    started: bool = True


class StackCredentials(Model):
    """What a stack is given in place of its own: a token, or a user with a password.

    `cloudflare_token` is one of cloudflare/tokens, None where the world has no Cloudflare.
    `tailnet` is one of tailscale/tailnets; `tailscale_key` and `tailscale_client` are an API key
    and an OAuth client of it.
    """

    api_token: Annotated[str, StringConstraints(pattern=r"^[^\s!]+@(pam|pve)![A-Za-z][\w.-]+$")]
    login: UserId = "root@pam"
    cloudflare_token: Name | None = None
    tailnet: DnsName | None = None
    tailscale_key: Name | None = None
    tailscale_client: Name | None = None


class World(Model):
    """Everything that is there before any stack comes."""

    proxmox: Proxmox
    hosts: dict[Name, Host] = {}
    cloudflare: Cloudflare = Cloudflare()
    tailscale: Tailscale = Tailscale()
    stack: StackCredentials
    secrets: dict[str, str] = {}

    @model_validator(mode="after")
    def ensure_it_holds_together(self) -> Self:
        """Report every name that is used but not defined, and all that cannot be, at once."""
        if found := list(problems(self)):
            raise ValueError("\n".join(found))
        return self
