"""What a service is called on its host where the stack file does not say: the usual names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from infra.settings.service import SERVER_ONLY, Service


@dataclass(frozen=True)
class Places:
    """Names and paths of one service. `server_only` is below `root`, `writable` is absolute."""

    name: str
    unit: str
    user: str
    root: str
    env_file: str
    server_only: tuple[str, ...]
    writable: tuple[str, ...]


def places(name: str, service: Service | Mapping[str, Any]) -> Places:
    """The names and paths of a service, or of as many of its values as are sound."""
    values: Mapping[str, Any] = (
        {field: getattr(service, field) for field in Service.model_fields}
        if isinstance(service, Service)
        else service
    )
    root = values.get("install_path") or f"/opt/{name}"
    server_only = values.get("server_only", SERVER_ONLY)
    return Places(
        name=name,
        unit=values.get("unit") or name,
        user=values.get("user") or name,
        root=root,
        env_file=values.get("env_file") or f"/etc/{name}/{name}.env",
        server_only=tuple(dict.fromkeys(_below(path, root) for path in [".env", *server_only])),
        writable=tuple(dict.fromkeys(_absolute(p, root) for p in values.get("writable", ()))),
    )


def _below(path: str, root: str) -> str:
    full = PurePosixPath(path)
    if full.is_relative_to(root):
        return str(full.relative_to(root))
    return str(full)


def _absolute(path: str, root: str) -> str:
    return str(PurePosixPath(root) / path)
