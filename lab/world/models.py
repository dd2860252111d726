"""The world file as frozen models. Shapes and cross-field rules; nothing here reads a file."""

import re
from ipaddress import IPv4Address, IPv4Interface
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from lab.world.base import DnsName, Name
from lab.world.cloudflare import Cloudflare
from lab.world.tailscale import Tailscale

StorageName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]$")]
BridgeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{1,9}$")]
UserId = Annotated[str, StringConstraints(pattern=r"^[^\s:/!@]+@(pam|pve)$")]
TokenName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._-]+$")]
Privilege = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+(\.[A-Za-z]+)+$")]
AclPath = Annotated[str, StringConstraints(pattern=r"^/")]
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
    tags: tuple[str, ...] = ()


class Proxmox(Model):
    """The node, what is on it and who may use it."""

    node: Node
    bridges: dict[BridgeName, Bridge] = Field(min_length=1)
    storages: dict[StorageName, Storage] = Field(min_length=1)
    templates: tuple[Template, ...] = ()
    roles: dict[str, tuple[Privilege, ...]] = {}
    users: dict[UserId, User]
    acl: tuple[AclEntry, ...] = ()
    pools: tuple[str, ...] = ()
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
    def ensure_references_resolve(self) -> Self:
        """Report every name that is used but not defined, all at once."""
        problems = [
            *self._bridge_problems(),
            *self._storage_problems(),
            *self._user_problems(),
            *self.cloudflare.problems(),
            *self.tailscale.problems(),
            *self._cloud_problems(),
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _bridge_problems(self) -> list[str]:
        places = {"proxmox/node": (self.proxmox.node.bridge, self.proxmox.node.address)}
        places |= {f"hosts/{n}": (h.bridge, h.address) for n, h in self.hosts.items()}
        problems = []
        for where, (bridge, address) in places.items():
            known = self.proxmox.bridges.get(bridge)
            if known is None:
                problems.append(f"{where}/bridge: {bridge} is not one of proxmox/bridges")
            elif not any(address.ip in r.network for r in known.routers):
                problems.append(f"{where}/address: {address} is in no network of {bridge}")
        seen: dict[IPv4Address, str] = {}
        for where, (_, address) in places.items():
            if address.ip in seen:
                problems.append(f"{where}/address: {address.ip} is {seen[address.ip]} already")
            seen.setdefault(address.ip, where)
        return problems

    def _storage_problems(self) -> list[str]:
        problems = []
        for index, template in enumerate(self.proxmox.templates):
            storage = template.volume.partition(":")[0]
            where = f"proxmox/templates/{index}/volume"
            if storage not in self.proxmox.storages:
                problems.append(f"{where}: {storage} is not one of proxmox/storages")
            elif "vztmpl" not in self.proxmox.storages[storage].content:
                problems.append(f"{where}: storage {storage} does not hold vztmpl")
        return problems

    def _user_problems(self) -> list[str]:
        users = self.proxmox.users
        tokens = {f"{u}!{t}" for u, user in users.items() for t in user.tokens}
        problems = [
            f"proxmox/acl/{i}/subject: {e.subject} is no user and no token of proxmox/users"
            for i, e in enumerate(self.proxmox.acl)
            if e.subject not in users and e.subject not in tokens
        ]
        problems += [
            f"proxmox/acl/{i}/role: {e.role} is not one of proxmox/roles, nor built in"
            for i, e in enumerate(self.proxmox.acl)
            if e.role not in self.proxmox.roles
            and not re.match(r"(PVE\w+|Administrator|NoAccess)$", e.role)
        ]
        if self.stack.api_token not in tokens:
            problems.append(f"stack/api_token: {self.stack.api_token} is no token of proxmox/users")
        if self.stack.login not in users:
            problems.append(f"stack/login: {self.stack.login} is not one of proxmox/users")
        return problems

    def _cloud_problems(self) -> list[str]:
        stack, problems = self.stack, []
        token = stack.cloudflare_token
        if token is not None and token not in self.cloudflare.tokens:
            problems.append(f"stack/cloudflare_token: {token} is not one of cloudflare/tokens")
        if stack.tailnet is not None and stack.tailnet not in self.tailscale.tailnets:
            problems.append(f"stack/tailnet: {stack.tailnet} is not one of tailscale/tailnets")
        tailnet = self.tailscale.tailnets.get(stack.tailnet or "")
        for what, name, known in (
            ("key", stack.tailscale_key, tailnet.api_keys if tailnet else {}),
            ("client", stack.tailscale_client, tailnet.oauth_clients if tailnet else {}),
        ):
            if name is not None and name not in known:
                problems.append(f"stack/tailscale_{what}: {name} is none of stack/tailnet's")
        return problems
