"""Rules across the fields of services. Each looks at sound values only, so all speak at once."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from infra.settings.problems import Problem, at
from infra.settings.service_places import places
from infra.settings.service_scalars import SYSTEM_PATHS

Values = Mapping[str, Any]
Services = Mapping[str, Values]
OURS = ("releases", "envs", "current", ".venv")
SYSTEM_USERS = frozenset(
    [
        "backup",
        "bin",
        "daemon",
        "games",
        "irc",
        "list",
        "lp",
        "mail",
        "man",
        "messagebus",
        "news",
        "nobody",
        "proxy",
        "sshd",
        "sync",
        "sys",
        "uucp",
        "www-data",
    ]
)
"""Users that a Debian has from the start, as far as a service could be called like them."""


def check(services: Services, hosts: frozenset[str]) -> list[Problem]:
    """Every rule's problems. `services` holds the sound values of each service by name."""
    rules: tuple[Callable[[Services], Iterator[Problem]], ...] = (
        ensure_one_way_to_start,
        ensure_root_is_meant,
        ensure_users_are_meant,
        ensure_no_variable_twice,
        ensure_required_variables_are_given,
        ensure_server_only_paths_are_inside,
        ensure_writable_paths_are_apart,
        ensure_env_files_are_apart,
        ensure_ports_do_not_overlap,
        ensure_units_and_paths_are_unique,
    )
    problems = [problem for rule in rules for problem in rule(services)]
    return problems + list(ensure_hosts_exist(services, hosts))


def ensure_hosts_exist(services: Services, hosts: frozenset[str]) -> Iterator[Problem]:
    """A service needs a host that this stack knows."""
    for name, values in services.items():
        if "host" in values and values["host"] not in hosts:
            known = ", ".join(sorted(hosts)) or "none"
            yield Problem(
                at("services", name, "host"),
                f"must be one of hosts ({known}), got {values['host']}",
            )


def ensure_one_way_to_start(services: Services) -> Iterator[Problem]:
    """An application, a factory, or a command: one of them."""
    for name, values in services.items():
        ways = ("app", "factory", "command")
        if not all(way in values for way in ways):
            continue
        given = [way for way in ways if values[way] is not None]
        if not given:
            yield Problem(
                at("services", name, "app"),
                "missing; give the ASGI application, module:attribute, such as app.main:app "
                "(or a factory, or a command)",
            )
        elif len(given) > 1:
            yield Problem(at("services", name), f"has {' and '.join(given)}; keep one of them")
        if values["command"] == ():
            yield Problem(at("services", name, "command"), "must name a program")
        if values["command"] and values.get("workers", 1) != 1:
            yield Problem(
                at("services", name, "workers"), "are uvicorn's; a command starts its own"
            )


def ensure_root_is_meant(services: Services) -> Iterator[Problem]:
    """Root by accident is an open door."""
    for name, values in services.items():
        if places(name, values).user == "root" and not values.get("allow_root", False):
            yield Problem(
                at("services", name, "user"),
                "is root; say allow_root: true if that is meant, or take a user of its own",
            )


def ensure_users_are_meant(services: Services) -> Iterator[Problem]:
    """A service that is called like a user of the system would run as it, and own its files."""
    for name, values in services.items():
        if values.get("user") is None and name in SYSTEM_USERS:
            yield Problem(
                at("services", name, "user"),
                f"missing; {name} is a user of the system, so say which user it runs as",
            )


def ensure_no_variable_twice(services: Services) -> Iterator[Problem]:
    """Of two values for one name nobody knows which is meant."""
    for name, values in services.items():
        both = set(values.get("environment", ())) & set(values.get("secrets", ()))
        for variable in sorted(both):
            yield Problem(
                at("services", name, "secrets", variable),
                "is in environment too; keep it in one of the two",
            )


def ensure_required_variables_are_given(services: Services) -> Iterator[Problem]:
    """All that are missing, at once, before anything changes."""
    for name, values in services.items():
        if not {"environment", "secrets"} <= values.keys():
            continue
        given = set(values["environment"]) | set(values["secrets"])
        for index, variable in enumerate(values.get("required", ())):
            if variable not in given:
                yield Problem(
                    at("services", name, "required", index),
                    f"{variable} is missing; add it to environment, or to secrets with the name "
                    f"of an entry of berth:secrets",
                )


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
            if ".." in full.parts or str(full) in SYSTEM_PATHS:
                yield Problem(spot, f"must be a directory of the service's own, got {path}")
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


def ensure_ports_do_not_overlap(services: Services) -> Iterator[Problem]:
    """Two services cannot listen on one port of a host, unless on different addresses."""
    taken: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for name, values in services.items():
        if not {"host", "port", "listen"} <= values.keys():
            continue
        others = taken.setdefault((values["host"], values["port"]), [])
        for listen, other in others:
            if listen == values["listen"] or {listen, values["listen"]} & {"0.0.0.0", "::"}:  # noqa: S104
                yield Problem(
                    at("services", name, "port"),
                    f"{values['port']} is that of {other} on {values['host']} already; "
                    f"take another port",
                )
                break
        others.append((values["listen"], name))


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
