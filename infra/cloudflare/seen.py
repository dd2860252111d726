"""What one run saw at Cloudflare before it declared its routes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.cloudflare import ingress
from infra.cloudflare.ingress import Known
from infra.cloudflare.look import TunnelNow
from infra.settings.ways_result import RouteSettings

LastRoutes = Sequence[Sequence[str]]
"""(hostname, path) of the routes that the last finished run declared, as an output keeps them."""


@dataclass(frozen=True)
class Seen:
    """`now` is None where the tunnel is to be made."""

    now: TunnelNow | None
    known: Known

    def rules(self, routes: Sequence[RouteSettings]) -> list[dict[str, Any]]:
        """The list that the tunnel is to have."""
        return ingress.merged(self.now.ingress if self.now else (), routes, self.known)


def known_routes(routes: Sequence[RouteSettings], last: LastRoutes, marked: Sequence[str]) -> Known:
    """How this stack's rules are told from others'."""
    names = {(route.hostname, route.path or "") for route in routes}
    names |= {(str(one[0]), str(one[1])) for one in last if len(one) == 2}
    return Known(
        names=frozenset(names),
        hostnames=frozenset(marked),
        services=frozenset(route.url for route in routes),
        wanted=frozenset(route.hostname for route in routes),
    )
