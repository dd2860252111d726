"""What a stack file declares, as far as the lab's commands must know: hosts, and services."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import yaml

from lab.cli.answers import Question
from lab.errors import LabError
from lab.paths import CHECKOUT
from lab.stack.tabs import parsed

PORT = 8000
HEALTH = "/healthz"
STREAM = "/api/chat"
"""Where the application of this checkout streams."""


@dataclass(frozen=True)
class Declared:
    """A host: what the lab finds the machine by, its address, the user that the stack names."""

    machine: str
    address: str
    user: str | None


def read_config(stack: Path) -> Mapping[str, Any]:
    """The `config` of a stack file; empty where it has none."""
    try:
        document = parsed(stack.read_text(encoding="utf-8-sig"), yaml.safe_load)
    except OSError as error:
        raise LabError(
            f"{stack}: cannot be read ({error.strerror}); name a stack file with --stack"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LabError(f"{stack}: is no YAML: {error}") from error
    return _mapping(_mapping(document).get("config"))


def hosts(config: Mapping[str, Any]) -> dict[str, Declared]:
    """The hosts, by name."""
    found = {}
    for name, host in _mapping(config.get("berth:hosts")).items():
        container, existing = (_mapping(_mapping(host).get(k)) for k in ("container", "existing"))
        address = str((container or existing).get("address", ""))
        found[str(name)] = Declared(
            machine=str(container.get("vm_id", existing.get("address", name))),
            address=address.partition("/")[0],
            user=existing.get("user"),
        )
    return found


def questions(config: Mapping[str, Any]) -> list[Question]:
    """One for each service that can be asked from outside its host."""
    there = hosts(config)
    found = []
    for name, given in _mapping(config.get("berth:services")).items():
        service = _mapping(given)
        host = there.get(str(service.get("host")))
        if host is None or ip_address(str(service.get("listen", "0.0.0.0"))).is_loopback:  # noqa: S104
            continue
        scheme = "https" if service.get("tls") else "http"
        own = (CHECKOUT / str(service.get("source", ""))).resolve() == CHECKOUT / "app"
        inside = Question(
            name=str(name),
            url=f"{scheme}://{host.address}:{service.get('port', PORT)}",
            health=str(_mapping(service.get("health")).get("path", HEALTH)),
            stream=STREAM if own else None,
        )
        found.append(inside)
        found += [replace(inside, url=url, verify=True) for url in _public(service)]
    return found


def _public(service: Mapping[str, Any]) -> list[str]:
    """Addresses of the public names that lead to all of a service."""
    routes = [_mapping(route) for route in service.get("routes") or ()]
    names = [str(route.get("hostname")) for route in routes if not route.get("path")]
    return [f"https://{name}" for name in names if "*" not in name]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
