"""Which paths of a host a service may have: no other service's, nor the host's own."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from infra.settings.problems import Problem, at
from infra.settings.service_places import Places, places
from infra.settings.service_scalars import SYSTEM_PATHS

Services = Mapping[str, Mapping[str, Any]]
OURS = ("releases", "envs", "current", ".venv")
STATE = PurePosixPath("/var/lib/berth")
"""Where the guest program remembers what it has placed."""


def ensure_server_only_paths_are_inside(services: Services) -> Iterator[Problem]:
    """What belongs to the host lies below the install path, beside what is ours."""
    for name, values in services.items():
        here = places(name, values)
        for index, path in enumerate(values.get("server_only", ())):
            full = PurePosixPath(here.root) / path
            inside = full.is_relative_to(here.root) and ".." not in full.parts
            spot = at("services", name, "server_only", index)
            if not inside or full == PurePosixPath(here.root):
                yield Problem(spot, f"must be below the install path {here.root}, got {path}")
            elif full.relative_to(here.root).parts[0] in OURS:
                yield Problem(spot, f"must not be in {', '.join(OURS)}, which are ours, got {path}")


def ensure_writable_paths_are_apart(services: Services) -> Iterator[Problem]:
    """A service that can write its own code, or the system's, has no sandbox."""
    for name, values in services.items():
        here = places(name, values)
        root = PurePosixPath(here.root)
        for index, path in enumerate(values.get("writable", ())):
            full = root / path
            spot = at("services", name, "writable", index)
            ours = [root / part for part in OURS]
            other = next(
                (o for o, there in _neighbours(name, services) if full.is_relative_to(there.root)),
                None,
            )
            if ".." in full.parts or str(full) in SYSTEM_PATHS or full.is_relative_to(STATE):
                yield Problem(spot, f"must be a directory of the service's own, got {path}")
            elif other and not root.is_relative_to(full):
                yield Problem(spot, f"belongs to {other}, got {path}; name one of its own")
            elif root.is_relative_to(full) or any(full.is_relative_to(part) for part in ours):
                yield Problem(spot, f"holds the service's own code, got {path}; name one beside it")


def ensure_env_files_are_apart(services: Services) -> Iterator[Problem]:
    """Our environment file is neither the host's own `.env` nor in a release."""
    hosts_own = {
        (str(values.get("host")), f"{places(name, values).root}/.env")
        for name, values in services.items()
    }
    for name, values in services.items():
        here = places(name, values)
        path, root = PurePosixPath(here.env_file), PurePosixPath(here.root)
        spot = at("services", name, "env_file")
        if (str(values.get("host")), here.env_file) in hosts_own:
            yield Problem(spot, f"{path} is the host's own, which is never written; take another")
        elif any(path.is_relative_to(root / part) for part in OURS):
            yield Problem(spot, f"must be outside of {', '.join(OURS)}, got {path}")
        elif any(path.is_relative_to(root / part) for part in here.server_only):
            yield Problem(spot, f"is among the host's own, which are never written, got {path}")
        elif not _is_a_place_for_variables(path, {name, here.unit}):
            yield Problem(
                spot,
                f"must be a file that only this service reads, such as /etc/{name}/{name}.env or "
                f"another name that ends in .env, got {path}",
            )


def _is_a_place_for_variables(path: PurePosixPath, names: set[str]) -> bool:
    """Whether nothing of the system takes its own settings from there."""
    if path.parts[1] in {"var", "opt", "srv", "home"}:
        return True
    own = len(path.parts) > 3 and path.parts[2] in {*names, "default"}
    return path.parts[1] == "etc" and (path.suffix == ".env" or own)


def ensure_units_and_paths_are_unique(services: Services) -> Iterator[Problem]:
    """Two services of a host share no unit, no directory and no environment file."""
    seen: dict[tuple[str, str, str], str] = {}
    for name, values in services.items():
        here = places(name, values)
        for key, value in (
            ("unit", here.unit),
            ("install_path", here.root),
            ("env_file", here.env_file),
        ):
            spot = (str(values.get("host")), key, value)
            if spot in seen:
                yield Problem(
                    at("services", name, key),
                    f"{value} is that of {seen[spot]} on {spot[0]} already; take another",
                )
            seen.setdefault(spot, name)


def ensure_install_paths_are_apart(services: Services) -> Iterator[Problem]:
    """A service inside another one's directory would be removed with its old releases."""
    for name, values in services.items():
        root = PurePosixPath(places(name, values).root)
        spot = at("services", name, "install_path")
        if root.is_relative_to(STATE) or STATE.is_relative_to(root):
            yield Problem(spot, f"must not hold or lie in {STATE}, which is berth's, got {root}")
        for other, there in _neighbours(name, services):
            outer = PurePosixPath(there.root)
            if root != outer and root.is_relative_to(outer):
                yield Problem(
                    spot, f"must not lie in {outer}, which is that of {other}, got {root}"
                )


def _neighbours(name: str, services: Services) -> Iterator[tuple[str, Places]]:
    """The other services of the same host."""
    for other, values in services.items():
        if other != name and values.get("host") == services[name].get("host"):
            yield other, places(other, values)
