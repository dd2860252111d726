"""What one run saw at Cloudflare before it declared its routes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.cloudflare import ingress
from infra.cloudflare.ingress import Known, Rule
from infra.cloudflare.look import TunnelNow
from infra.cloudflare.order import merged
from infra.settings.ways_result import RouteSettings

LastRoutes = Sequence[Sequence[str]]
"""(hostname, path) of the routes that earlier runs declared, as the state keeps them."""


@dataclass(frozen=True)
class Seen:
    """`now` is None where the tunnel is to be made."""

    now: TunnelNow | None
    known: Known

    def rules(self, routes: Sequence[RouteSettings]) -> list[dict[str, Any]]:
        """The list that the tunnel is to have."""
        return merged(self.now.ingress if self.now else (), routes, self.known)

    def taken(self, routes: Sequence[RouteSettings]) -> list[tuple[RouteSettings, Rule]]:
        """The routes whose hostname and path somebody else has a rule for, with that rule."""
        theirs = ingress.foreign(self.now.ingress if self.now else (), self.known)
        by_name = {ingress.name_of(rule): rule for rule in theirs}
        names = [(route, ingress.name_of(ingress.rule_of(route))) for route in routes]
        return [(route, by_name[name]) for route, name in names if name in by_name]


def known_routes(routes: Sequence[RouteSettings], last: LastRoutes) -> Known:
    """How this stack's rules are told from others'."""
    return Known(names_in(last), [ingress.rule_of(route) for route in routes])


def names_in(value: object) -> frozenset[tuple[str, str]]:
    """(hostname, path) of each route that the state has a note of."""
    rows = value if isinstance(value, list | tuple) else ()
    return frozenset((str(row[0]), str(row[1])) for row in rows if len(row) == 2)
