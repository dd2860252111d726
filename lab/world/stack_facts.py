"""What a stack file says about the world it needs. Tolerant: the program refuses, this does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any, TypeVar

import yaml

from lab.errors import LabError
from lab.stack.tabs import parsed
from lab.world.cloud_facts import CloudFacts, read_clouds

N = TypeVar("N", int, None)


@dataclass(frozen=True)
class ContainerFacts:
    """A container that the stack will make; None where it does not say so, or not well."""

    name: str
    node: str | None
    address: IPv4Interface | None
    gateway: IPv4Address | None
    bridge: str | None
    vlan: int | None
    cores: int
    memory_mb: int
    disk_gb: int
    storage: str | None
    template: str | None
    template_storage: str | None
    pool: str | None


@dataclass(frozen=True)
class ExistingFacts:
    """A machine that is there already."""

    name: str
    address: IPv4Address | None
    port: int
    user: str
    states_host_key: bool


@dataclass(frozen=True)
class StackFacts:
    """Everything that decides how a fitting world looks."""

    endpoint: str | None
    username: str | None
    containers: tuple[ContainerFacts, ...]
    existing: tuple[ExistingFacts, ...]
    clouds: CloudFacts
    secrets: tuple[str, ...]


def read_facts(stack_file: Path) -> StackFacts:
    """Raises LabError when the file cannot be read, or is no YAML mapping."""
    config = _mapping(_document(stack_file).get("config"))
    proxmox = _mapping(config.get("berth:proxmox"))
    hosts = _mapping(config.get("berth:hosts"))
    named = {str(name): _mapping(host) for name, host in hosts.items()}
    clouds = read_clouds(config)
    key = _mapping(config.get("berth:ssh")).get("private_key")
    roles = {_text(proxmox.get("api_token")), _text(proxmox.get("password")), _text(key)}
    return StackFacts(
        endpoint=_text(proxmox.get("endpoint")),
        username=_text(proxmox.get("username")),
        containers=tuple(
            _container(name, _mapping(host["container"]))
            for name, host in named.items()
            if "container" in host
        ),
        existing=tuple(
            _existing(name, _mapping(host["existing"]))
            for name, host in named.items()
            if "existing" in host
        ),
        clouds=clouds,
        secrets=tuple(
            str(name)
            for name in _mapping(config.get("berth:secrets"))
            if name not in roles | clouds.roles
        ),
    )


def _document(stack_file: Path) -> Mapping[str, Any]:
    try:
        document = parsed(stack_file.read_text(encoding="utf-8-sig"), yaml.safe_load)
    except OSError as error:
        raise LabError(
            f"{stack_file}: cannot be read ({error.strerror}); name a stack file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LabError(f"{stack_file}: is no YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("config"), dict):
        raise LabError(
            f"{stack_file}: has no mapping `config`, so it is no stack file; "
            "name one such as Pulumi.prod.yaml"
        )
    return document


def _container(name: str, said: Mapping[str, Any]) -> ContainerFacts:
    template = _mapping(said.get("template"))
    volume = _text(template.get("volume"))
    return ContainerFacts(
        name=name,
        node=_text(said.get("node")),
        address=_interface(said.get("address")),
        gateway=_address(said.get("gateway")),
        bridge=_text(said.get("bridge")),
        vlan=_number(said.get("vlan"), None),
        cores=_number(said.get("cores"), 1),
        memory_mb=_number(said.get("memory_mb"), 512),
        disk_gb=_number(said.get("disk_gb"), 8),
        storage=_text(said.get("storage")),
        template=volume,
        template_storage=(
            volume.partition(":")[0] if volume else _text(template.get("storage")) or "local"
        ),
        pool=_text(said.get("pool")),
    )


def _existing(name: str, said: Mapping[str, Any]) -> ExistingFacts:
    return ExistingFacts(
        name=name,
        address=_address(said.get("address")),
        port=_number(said.get("port"), 22),
        user=_text(said.get("user")) or "root",
        states_host_key=_text(said.get("host_key")) is not None,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object, default: N) -> int | N:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return default


def _interface(value: object) -> IPv4Interface | None:
    try:
        return IPv4Interface(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _address(value: object) -> IPv4Address | None:
    found = _interface(value)
    return found.ip if found is not None else None
