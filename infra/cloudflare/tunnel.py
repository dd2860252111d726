"""The tunnel, its one list of rules, and a DNS record for each public name."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.cloudflare import words
from infra.cloudflare.guard import TunnelGuard
from infra.cloudflare.ingress import foreign
from infra.cloudflare.resources import CONFIG, RECORD, TUNNEL, Provider, Resource, config
from infra.cloudflare.seen import LastRoutes, Seen, known_routes
from infra.cloudflare.words import NOTED, PROVIDER, TUNNEL_NAME, record_name
from infra.guard.hooks import WayBindings
from infra.guard.survey import RefusedError
from infra.settings.ways_result import RouteSettings, TunnelSettings


@dataclass(frozen=True)
class TunnelArgs:
    """`last_routes` are those that the last finished run declared. `first` must have succeeded
    before the list is read and written.
    """

    settings: TunnelSettings
    guard: TunnelGuard
    hooks: WayBindings
    last_routes: LastRoutes
    first: Sequence[pulumi.Resource] = ()


class Tunnel(pulumi.ComponentResource):
    """`token` is what connectors run with; `published` waits until every name is.

    The tunnel and the records have no parent, so that an import needs to name none.
    """

    def __init__(
        self, name: str, args: TunnelArgs, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("berth:infra:Tunnel", name, {}, opts)
        settings, guard, hooks = args.settings, args.guard, args.hooks
        provider = Provider(PROVIDER, settings.access.api_token, settings.access.base_url)
        self.tunnel = Resource(
            TUNNEL,
            TUNNEL_NAME,
            {"accountId": settings.account, "name": settings.name, "configSrc": "cloudflare"},
            pulumi.ResourceOptions(
                provider=provider,
                hooks=hooks.tunnel,
                # The hook deletes it, where nobody else has routes in it.
                retain_on_delete=True,
                # A replacement is told from a destroy by what comes first.
                delete_before_replace=True,
            ),
        )
        guard.settle(self.tunnel)
        zone: pulumi.Output[str] = pulumi.Output.from_input(
            asyncio.ensure_future(_zone(self.tunnel, guard))
        )
        looked = asyncio.ensure_future(_look(self.tunnel, zone, args))
        seen: pulumi.Output[Seen] = pulumi.Output.from_input(looked)
        there = pulumi.Stash(
            f"{TUNNEL_NAME}-there",
            input=seen.apply(_state),
            opts=pulumi.ResourceOptions(
                parent=self, hooks=hooks.there, depends_on=[self.tunnel, *args.first]
            ),
        )
        self.routes = Resource(
            CONFIG,
            f"{TUNNEL_NAME}-routes",
            {
                "accountId": settings.account,
                "tunnelId": self.tunnel.id,
                "config": seen.apply(
                    lambda found: config(
                        found.rules(settings.routes), found.now.rest if found.now else {}
                    )
                ),
            },
            pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                hooks=hooks.routes,
                depends_on=[there, *args.first],
            ),
        )
        guard.settle(self.routes)
        ours = pulumi.Stash(
            NOTED,
            input=names_of(settings.routes),
            opts=pulumi.ResourceOptions(parent=self, hooks=hooks.ours, depends_on=[self.routes]),
        )
        content = pulumi.Output.concat(self.tunnel.id, ".cfargotunnel.com")
        self.records = {
            hostname: Resource(
                RECORD,
                record_name(hostname),
                {
                    "zoneId": zone,
                    "name": hostname,
                    "type": "CNAME",
                    "content": content,
                    "proxied": True,
                    "ttl": 1,
                    "comment": guard.identity.mark,
                },
                pulumi.ResourceOptions(
                    provider=provider,
                    hooks=hooks.record,
                    depends_on=[ours],
                    # The hook deletes it, where nobody has done so by hand.
                    retain_on_delete=True,
                ),
            )
            for hostname in dict.fromkeys(route.hostname for route in settings.routes)
        }
        token: pulumi.Output[str] = pulumi.Output.all(seen, self.tunnel.id).apply(
            lambda both: _token(both[0])
        )
        self.token: pulumi.Output[str] = pulumi.Output.secret(token)
        self.published: Sequence[pulumi.Resource] = [*self.records.values()]
        self.register_outputs({"id": self.tunnel.id})


def names_of(routes: Sequence[RouteSettings]) -> list[list[str]]:
    """(hostname, path) of each route, as an output keeps them."""
    return [[route.hostname, route.path or ""] for route in routes]


async def _zone(tunnel: pulumi.CustomResource, guard: TunnelGuard) -> str:
    # What the guard has to say of the tunnel comes first.
    await tunnel.urn.future()
    try:
        return await guard.zone()
    except RefusedError as error:
        raise pulumi.RunError(str(error)) from None


async def _look(tunnel: pulumi.CustomResource, zone: pulumi.Output[str], args: TunnelArgs) -> Seen:
    """Just before the list is written: what is in it, and which of it is ours."""
    settings, guard = args.settings, args.guard
    routes = settings.routes
    last = args.last_routes
    await asyncio.gather(*(resource.urn.future() for resource in args.first))
    # None in a preview that is to make it.
    tunnel_id = await tunnel.id.future()
    if not tunnel_id:
        guard.seen = Seen(None, known_routes(routes, last))
        return guard.seen
    try:
        cloud, zone_id = await guard.cloud(), await zone.future() or ""
        now, records = await asyncio.gather(
            cloud.tunnel(settings.account, tunnel_id),
            cloud.records_of(zone_id, guard.identity.mark),
        )
        if foreign(now.ingress, known_routes(routes, last)):
            # A run that failed at its end has exported nothing.
            last = [*last, *await guard.noted_routes()]
    except RefusedError as error:
        raise pulumi.RunError(str(error)) from None
    marked = [str(record["name"]) for record in records]
    published = {str(one[0]) for one in last} & {route.hostname for route in routes}
    for hostname in sorted(published.difference(marked)):
        pulumi.log.warn(words.record_gone(hostname))
    guard.seen = Seen(now, known_routes(routes, last))
    return guard.seen


def _state(seen: Seen) -> str:
    return f"deleted {seen.now.id}" if seen.now and seen.now.deleted else "there"


def _token(seen: Seen) -> str:
    return seen.now.token if seen.now else ""


def exported(tunnel: Tunnel, routes: Sequence[RouteSettings]) -> Mapping[str, Any]:
    """The stack's output `tunnel`."""
    return {
        "id": tunnel.tunnel.id,
        "routes": names_of(routes),
        "urls": sorted({f"https://{route.hostname}" for route in routes}),
    }
