"""The shape of a stack file's `berth:` keys. Shapes only: rules across fields are in rules.py.

Each description completes "missing; give ..." and is the text an editor shows. Lists are
`strict=False`, since JSON has no tuples; what is in them is held to its form all the same.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator

from infra.settings.checks import Parsed
from infra.settings.model import Model
from infra.settings.scalars import (
    Address,
    Bridge,
    Checksum,
    DnsName,
    Endpoint,
    FileName,
    HostAddress,
    HostName,
    Interface,
    Login,
    NodeName,
    Pool,
    SecretName,
    StackId,
    Storage,
    Tag,
    Url,
    UserName,
    VmId,
    Volume,
)
from infra.settings.service import Service
from infra.settings.service_scalars import ServiceName
from infra.settings.ssh_keys import PUBLIC_KEY, public_key
from infra.settings.template_names import file_of, guess_system
from infra.settings.ways import Cloudflare, Tailnet

PublicKey = Annotated[str, Parsed(public_key, PUBLIC_KEY, hidden=True)]
System = Literal["debian", "ubuntu", "alpine", "fedora", "centos", "archlinux", "opensuse"]
Algorithm = Literal["sha256", "sha384", "sha512", "sha224", "sha1", "md5"]


class Proxmox(Model):
    """How to reach the Proxmox API. What is left out comes from the environment."""

    endpoint: Endpoint | None = Field(
        None, description="the address of the Proxmox API (else PROXMOX_VE_ENDPOINT)"
    )
    api_token: SecretName | None = Field(
        None,
        description="the entry of berth:secrets that holds the API token, "
        "USER@REALM!ID=UUID (else PROXMOX_VE_API_TOKEN)",
    )
    username: Login | None = Field(
        None,
        description="the user who logs in with a password, where a token is not enough "
        "(else PROXMOX_VE_USERNAME)",
    )
    password: SecretName | None = Field(
        None,
        description="the entry of berth:secrets that holds the user's password "
        "(else PROXMOX_VE_PASSWORD)",
    )
    insecure: bool | None = Field(
        None,
        description="true to accept any certificate; rather add the node's CA to this "
        "machine's trust (docs/proxmox.md)",
    )


class Ssh(Model):
    """The key that the program logs in with."""

    private_key: SecretName | None = Field(
        None,
        description="the entry of berth:secrets that holds an unencrypted OpenSSH private key; "
        "its public half goes into every container (else BERTH_SSH_PRIVATE_KEY or "
        "BERTH_SSH_PRIVATE_KEY_FILE)",
    )
    authorized_keys: tuple[PublicKey, ...] = Field(
        (), strict=False, description="further public keys that may log in as root"
    )


class Template(Model):
    """What a container is made from: a `volume` on the node, or a file to download."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["volume"]}, {"required": ["url", "checksum"]}],
        }
    )

    volume: Volume | None = Field(
        None, description="a template that is on a storage of the node already"
    )
    url: Url | None = Field(None, description="where the node downloads the template from")
    checksum: Checksum | None = Field(
        None, description="the checksum of the downloaded file, in hex digits"
    )
    checksum_algorithm: Algorithm = Field("sha256", description="how the checksum was made")
    storage: Storage = Field("local", description="the storage that keeps the downloaded file")
    file_name: FileName | None = Field(
        None, description="its name there; left out, the last part of the url"
    )
    system: System | None = Field(
        None, description="the system in it; left out, what the file name begins with"
    )

    @property
    def file(self) -> str:
        """The name of the file on its storage."""
        return file_of(self.volume, self.url, self.file_name)

    @property
    def id(self) -> str:
        """The volume that a container is made from, downloaded or not."""
        return self.volume or f"{self.storage}:vztmpl/{self.file}"


class Container(Model):
    """An LXC container that this stack makes."""

    node: NodeName = Field(description="the Proxmox node it runs on")
    vm_id: VmId = Field(description="its id, 100 or more, free on the whole cluster")
    address: Interface = Field(description='its address with prefix, such as "192.168.1.111/24"')
    gateway: Address = Field(description="the router of that subnet")
    bridge: Bridge = Field("vmbr0", description="the bridge of the node it is connected to")
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = Field(
        None, description="the VLAN on that bridge; left out, untagged"
    )
    cores: Annotated[int, Field(ge=1, le=128)] = Field(1, description="CPU cores it may use")
    memory_mb: Annotated[int, Field(ge=16, le=268_435_456)] = Field(
        1024, description="memory, in MiB"
    )
    swap_mb: Annotated[int, Field(ge=0, le=268_435_456)] = Field(
        512, description="swap, in MiB; 0 for none"
    )
    disk_gb: Annotated[int, Field(ge=1)] = Field(
        8, description="its root disk, in GiB; it can grow, never shrink"
    )
    storage: Storage = Field("local-lvm", description="the storage of its root disk")
    template: Template = Field(description="what it is made from: a volume, or a url")
    unprivileged: bool = Field(
        default=True, description="whether root in it is an ordinary user of the node"
    )
    nesting: bool = Field(
        default=True, description="whether systemd may sandbox its services, and Docker may run"
    )
    onboot: bool = Field(default=True, description="whether it starts with the node")
    start_order: Annotated[int, Field(ge=0)] | None = Field(
        None, description="its place among the containers that start with the node"
    )
    tags: tuple[Tag, ...] = Field(
        (),
        strict=False,
        description="tags to show in Proxmox, besides the one that marks it as ours",
    )
    pool: Pool | None = Field(None, description="the resource pool it belongs to")
    hostname: DnsName | None = Field(
        None, description="the name it gives itself; left out, the name of the host here"
    )
    nameservers: tuple[Address, ...] = Field(
        (), strict=False, description="name servers; none: those of the node"
    )
    root_password: SecretName | None = Field(
        None,
        description="the entry of berth:secrets that holds root's password, for the console "
        "(over SSH only keys are taken)",
    )
    was: HostName | None = Field(
        None, description="what this host was called before; once, when it is renamed"
    )

    @property
    def system(self) -> str | None:
        """What Proxmox sets up network and keys by."""
        return self.template.system or guess_system(self.template.file)


class Existing(Model):
    """A machine that is there already; nothing of it is made or deleted."""

    address: HostAddress = Field(description="its address, or its name")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(22, description="the port of its SSH")
    user: UserName = Field(
        "root", description="who logs in: root, or a user with passwordless sudo"
    )
    host_key: str | None = Field(
        None,
        description="its public host key, such as `ssh-ed25519 AAAA...` (else it is looked up "
        "in the known_hosts file that BERTH_KNOWN_HOSTS names)",
    )


def _one_of_both(schema: dict[str, Any]) -> None:
    schema |= {"minProperties": 1, "maxProperties": 1}
    schema["properties"] = {name: kind["anyOf"][0] for name, kind in schema["properties"].items()}


class Host(Model):
    """One of both: a container that is made, or a machine that exists."""

    model_config = ConfigDict(json_schema_extra=_one_of_both)

    container: Container | None = None
    existing: Existing | None = None

    @field_validator("container", "existing", mode="before")
    @classmethod
    def _ensure_it_says_something(cls, value: object) -> object:
        if value is None:
            raise ValueError("is empty; take the line out, or give it keys")
        return value


class StackFile(Model):
    """All `berth:` keys but `berth:secrets`, whose values no model ever holds."""

    id: StackId = Field(description="8 characters that tell this stack from any other")
    proxmox: Proxmox = Proxmox()
    ssh: Ssh = Ssh()
    hosts: dict[HostName, Host] = Field(description="the hosts of this stack, by name")
    services: dict[ServiceName, Service] = Field(
        default_factory=dict, description="the FastAPI services on those hosts, by name"
    )
    cloudflare: Cloudflare | None = Field(
        None, description="the tunnel for the public names of services"
    )
    tailnet: Tailnet | None = Field(
        None, description="the Tailscale network, and keys to join it with"
    )
    replace: tuple[HostName, ...] = Field(
        (), strict=False, description="hosts whose container may be destroyed and made anew"
    )
    remove: tuple[HostName, ...] = Field(
        (), strict=False, description="hosts that left this file and may be destroyed"
    )
