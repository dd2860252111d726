"""Rules across routes, certificates and keys. Each looks at sound values only, so all can speak."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from infra.settings.hidden_paths import leaves_nothing, takes_everything
from infra.settings.problems import Problem, at
from infra.settings.shape import Partial
from infra.settings.sound import ALL, part, routes_of
from infra.settings.ways import Route

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Placed:
    """A route with its place in the stack file."""

    service: str
    index: int
    route: Route
    sound: frozenset[str] = ALL

    @property
    def path(self) -> str:
        return at("services", self.service, "routes", self.index)


def in_order(routes: list[Placed]) -> list[Placed]:
    """The order in which routes are tried: by service and as listed, the first that fits wins.

    Of one hostname, those with a path come first, longer ones before shorter ones; a fallback
    comes after everything else.
    """
    first: dict[tuple[bool, str], int] = {}
    for position, placed in enumerate(routes):
        first.setdefault((placed.route.fallback, placed.route.hostname), position)
    return sorted(
        routes,
        key=lambda placed: (
            placed.route.fallback,
            # The longer a fallback's name, the fewer it is for.
            -len(placed.route.hostname) if placed.route.fallback else 0,
            first[placed.route.fallback, placed.route.hostname],
            takes_everything(placed.route.path),
            -len(placed.route.path or ""),
        ),
    )


def check(partial: Partial) -> list[Problem]:
    """Every rule's problems."""
    rules: tuple[Callable[[Partial], Iterator[Problem]], ...] = (
        ensure_routes_have_a_tunnel,
        ensure_hostnames_are_in_the_zone,
        ensure_routes_are_unique,
        ensure_no_route_is_hidden,
        ensure_origins_can_be_verified,
        ensure_the_connector_reaches_the_services,
        ensure_one_certificate,
        ensure_keys_are_for_hosts,
    )
    return [problem for rule in rules for problem in rule(partial)]


def placed_routes(services: Mapping[str, Values]) -> list[Placed]:
    """All routes with a sound name, services by name."""
    return [
        Placed(name, one.index, one.route, one.sound)
        for name in sorted(services)
        for one in routes_of(services[name])
    ]


def ensure_routes_have_a_tunnel(partial: Partial) -> Iterator[Problem]:
    """A route without a tunnel leads nowhere; a connector needs a host that this stack knows."""
    routes = placed_routes(partial.services)
    if partial.cloudflare is None:
        if routes:
            yield Problem(
                "cloudflare",
                f"missing; {routes[0].path} needs the account, the zone, the tunnel's name and "
                "where its connector runs (docs/cloudflare.md)",
            )
        return
    host = part(partial.cloudflare, "connector").get("host")
    if host is not None and host not in partial.kinds:
        known = ", ".join(sorted(partial.kinds)) or "none"
        yield Problem(
            at("cloudflare", "connector", "host"), f"must be one of hosts ({known}), got {host}"
        )


def ensure_hostnames_are_in_the_zone(partial: Partial) -> Iterator[Problem]:
    """Only the names of the zone can be given to the tunnel."""
    zone = (partial.cloudflare or {}).get("zone")
    for placed in placed_routes(partial.services) if zone else []:
        name = placed.route.hostname
        if name != zone and not name.endswith(f".{zone}"):
            yield Problem(
                at(placed.path, "hostname"),
                f"must be in the zone {zone} (cloudflare/zone), got {name}",
            )


def ensure_routes_are_unique(partial: Partial) -> Iterator[Problem]:
    """Of two routes with one hostname and path the second would never be taken."""
    seen: dict[tuple[str, str | None], Placed] = {}
    for placed in placed_routes(partial.services):
        if "path" not in placed.sound:
            continue
        key = placed.route.hostname, placed.route.path
        if key in seen:
            what = placed.route.hostname + (f" {placed.route.path}" if placed.route.path else "")
            yield Problem(
                placed.path,
                f"{what} is taken by {seen[key].path} already; "
                "give it another hostname, or a path of its own",
            )
        seen.setdefault(key, placed)


def ensure_no_route_is_hidden(partial: Partial) -> Iterator[Problem]:
    """One that is tried first and takes all that another one is meant for."""
    known = [p for p in placed_routes(partial.services) if {"path", "fallback"} <= p.sound]
    routes = in_order(known)
    for position, placed in enumerate(routes):
        name = placed.route.hostname
        if placed.route.fallback and not name.startswith("*."):
            yield Problem(at(placed.path, "fallback"), f"is for a *, and {name} is one name")
        for earlier in routes[:position]:
            if _hides(earlier.route, placed.route):
                remedy = "say fallback: true there, or take one out"
                if earlier.route.hostname == name:
                    remedy = "give that one a narrower path, or take one out"
                everything = takes_everything(earlier.route.path)
                yield Problem(
                    placed.path,
                    f"{_named(placed.route, briefly=everything)} is never reached: "
                    f"{_named(earlier.route)} ({earlier.path}) is tried before it and takes "
                    f"{'everything' if everything else 'all that it is for'}; {remedy}",
                )
                break


def _hides(first: Route, second: Route) -> bool:
    if first.hostname == second.hostname:
        return first.path != second.path and leaves_nothing(first.path, second.path)
    wide = first.hostname.startswith("*.") and second.hostname.removeprefix("*").endswith(
        first.hostname[1:]
    )
    return wide and leaves_nothing(first.path, second.path)


def _named(route: Route, *, briefly: bool = False) -> str:
    return route.hostname if briefly or route.path is None else f"{route.hostname} {route.path}"


def ensure_origins_can_be_verified(partial: Partial) -> Iterator[Problem]:
    """What is said about a certificate must have one to be about."""
    for placed in placed_routes(partial.services):
        values, origin = partial.services[placed.service], placed.route.origin
        if "tls" not in values or "origin" not in placed.sound:
            continue
        spot = at(placed.path, "origin")
        if values["tls"] is None:
            for key in ("no_tls_verify", "server_name", "ca_file", "http2"):
                if getattr(origin, key):
                    yield Problem(
                        at(spot, key),
                        f"is about HTTPS, and {placed.service} has no tls; take it out, or give "
                        "the service a certificate",
                    )
            continue
        if origin.no_tls_verify:
            for key in ("server_name", "ca_file"):
                if getattr(origin, key):
                    yield Problem(
                        at(spot, key), "is of no use with no_tls_verify; keep one of the two"
                    )
        elif part(values, "tls").get("self_signed"):
            yield Problem(
                at(spot, "no_tls_verify"),
                f"missing; nobody trusts the certificate that the host of {placed.service} makes "
                "itself: say no_tls_verify: true, or give it one that a CA has signed",
            )


def ensure_the_connector_reaches_the_services(partial: Partial) -> Iterator[Problem]:
    """What listens on loopback is there for its own host alone."""
    connector = part(partial.cloudflare or {}, "connector").get("host")
    for placed in placed_routes(partial.services) if connector else []:
        values = partial.services[placed.service]
        listen, host = values.get("listen"), values.get("host")
        if listen and host and host != connector and ip_address(listen).is_loopback:
            yield Problem(
                at("services", placed.service, "listen"),
                f"is {listen}, which the connector on {connector} cannot reach; take 0.0.0.0, or "
                f"let the connector run on {host}",
            )


def ensure_one_certificate(partial: Partial) -> Iterator[Problem]:
    """Of two certificates nobody knows which is meant."""
    for name, values in partial.services.items():
        if values.get("tls") is None:
            continue
        tls = part(values, "tls")
        ways = ("files", "secrets", "on_host", "self_signed")
        if not all(way in tls for way in ways):
            continue
        given = [way for way in ways if tls[way]]
        if len(given) != 1:
            found = f"has {' and '.join(given)}" if given else "has none"
            yield Problem(
                at("services", name, "tls"),
                f"must have one of files, secrets, on_host and self_signed: true; {found}",
            )


def ensure_keys_are_for_hosts(partial: Partial) -> Iterator[Problem]:
    """A key that opens once lets one machine in."""
    keys = (partial.tailnet or {}).get("keys", {})
    for name in keys:
        spot, key = at("tailnet", "keys", name), part(keys, name)
        hosts = key.get("hosts", ())
        for index, host in enumerate(hosts):
            if host not in partial.kinds:
                known = ", ".join(sorted(partial.kinds)) or "none"
                yield Problem(
                    at(spot, "hosts", index), f"must be one of hosts ({known}), got {host}"
                )
        if len(set(hosts)) > 1 and not key.get("reusable", True):
            yield Problem(
                at(spot, "reusable"),
                f"is false, and {len(set(hosts))} hosts join with it; say reusable: true, or "
                "make a key for each",
            )
