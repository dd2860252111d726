"""Rules across the fields of services. Each looks at sound values only, so all speak at once."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infra.settings.problems import Problem, at
from infra.settings.service_paths import (
    ensure_env_files_are_apart,
    ensure_install_paths_are_apart,
    ensure_server_only_paths_are_inside,
    ensure_units_and_paths_are_unique,
    ensure_writable_paths_are_apart,
)
from infra.settings.service_places import places

Values = Mapping[str, Any]
Services = Mapping[str, Values]
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
        ensure_install_paths_are_apart,
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
