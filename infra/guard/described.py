"""A container in the words of the stack file, read from what the provider was given. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from infra.settings.models import Container

Described = dict[str, object]
"""Setting to value, as plain text and numbers; values of secrets are never in it."""


def described(inputs: Mapping[str, Any]) -> Described:
    """The inputs of a container, as the engine keeps them, in the words of the stack file.

    Its outputs will do as well: there the provider says 0 and "" for what was left open.
    """
    memory, network = _part(inputs, "memory"), _first(inputs, "networkInterfaces")
    start = _part(inputs, "initialization")
    ipv4 = _part(_first(start, "ipConfigs"), "ipv4")
    account = _part(start, "userAccount")
    return {
        "node": inputs.get("nodeName"),
        "vm_id": _whole(inputs.get("vmId")),
        "address": ipv4.get("address"),
        "gateway": ipv4.get("gateway"),
        "bridge": network.get("bridge"),
        "vlan": _whole(network.get("vlanId")) or None,
        "cores": _whole(_part(inputs, "cpu").get("cores")),
        "memory": _whole(memory.get("dedicated")),
        "swap": _whole(memory.get("swap")),
        "disk": _whole(_part(inputs, "disk").get("size")),
        "storage": _part(inputs, "disk").get("datastoreId"),
        "template": _part(inputs, "operatingSystem").get("templateFileId"),
        "system": _part(inputs, "operatingSystem").get("type"),
        "unprivileged": inputs.get("unprivileged"),
        "nesting": bool(_part(inputs, "features").get("nesting")),
        "onboot": inputs.get("startOnBoot"),
        "start_order": _whole(_part(inputs, "startup").get("order")),
        "tags": _joined(inputs.get("tags")),
        "pool": inputs.get("poolId"),
        "hostname": start.get("hostname"),
        "nameservers": _joined(_part(start, "dns").get("servers")),
        "keys": _joined(account.get("keys")),
        "root_password": _fingerprint(account.get("password")),
        "started": inputs.get("started", True),
    }


def declared(
    host: str, spec: Container, tags: Iterable[str], keys: Iterable[str], password: str | None
) -> Described:
    """What the stack file asks for, in the same words."""
    return {
        "node": spec.node,
        "vm_id": spec.vm_id,
        "address": str(spec.address),
        "gateway": str(spec.gateway),
        "bridge": spec.bridge,
        "vlan": spec.vlan,
        "cores": spec.cores,
        "memory": spec.memory_mb,
        "swap": spec.swap_mb,
        "disk": spec.disk_gb,
        "storage": spec.storage,
        "template": spec.template.id,
        "system": spec.system,
        "unprivileged": spec.unprivileged,
        "nesting": spec.nesting,
        "onboot": spec.onboot,
        "start_order": spec.start_order,
        "tags": _joined(sorted(tags)),
        "pool": spec.pool,
        "hostname": spec.hostname or host,
        "nameservers": _joined([str(server) for server in spec.nameservers] or None),
        "keys": _joined(list(keys)),
        "root_password": _fingerprint(password),
        "started": True,
    }


class Secret:
    """Stands for a secret: two of them compare by value, neither ever shows it."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(str(self._value))

    def __repr__(self) -> str:
        return "a secret"


def _fingerprint(value: object) -> Secret | None:
    return Secret(value) if value else None


def _part(value: object, key: str) -> Mapping[str, Any]:
    part = value.get(key) if isinstance(value, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _first(value: object, key: str) -> Mapping[str, Any]:
    items = value.get(key) if isinstance(value, Mapping) else None
    first = items[0] if isinstance(items, (list, tuple)) and items else None
    return first if isinstance(first, Mapping) else {}


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _joined(value: object) -> str | None:
    return ", ".join(str(v) for v in value) if isinstance(value, (list, tuple)) else None
