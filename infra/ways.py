"""The ways in, in the order in which they are made: tunnel, names, connector, and the gate."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.cloudflare.guard import TunnelGuard
from infra.cloudflare.ingress import rule_of
from infra.cloudflare.tunnel import Tunnel, TunnelArgs, exported
from infra.cloudflare.words import TUNNEL_NAME, Identity
from infra.connector import Connector, ConnectorArgs
from infra.container import formerly
from infra.gate import Public, gate, public_of
from infra.guard import hooks
from infra.guard.survey import RefusedError
from infra.hosts import Host
from infra.reach import http, origin
from infra.service import GuestPrograms, Service
from infra.settings.ways_result import CloudflareAccess, RouteSettings, TunnelSettings

OUTPUT = "tunnel"


@dataclass(frozen=True)
class Way:
    """What was declared, and the steps that log in to hosts for it."""

    tunnel: Tunnel
    connector: Connector
    settings: TunnelSettings

    @property
    def exported(self) -> Mapping[str, Any]:
        """The stack's output `tunnel`."""
        routes = self.settings.routes
        return {**exported(self.tunnel, routes), "rules": [rule_of(route) for route in routes]}

    @property
    def steps(self) -> list[pulumi.CustomResource]:
        """Each of them."""
        return [self.connector.stop, self.connector.run]


class Ways:
    """Made before anything else of the program, so that its hooks are always registered."""

    def __init__(
        self,
        settings: TunnelSettings | None,
        access: CloudflareAccess | None,
        identity: Identity,
        destroying: Callable[[], bool],
    ) -> None:
        self._settings, self._identity, self._destroying = settings, identity, destroying
        self.guard = TunnelGuard(settings, access, identity, destroying)
        self._publics: list[Public] = []
        if settings is not None:
            self._publics = [
                public_of(route, settings.host, settings.unit) for route in settings.routes
            ]
        guard = self.guard
        self._bindings = hooks.bind_ways(
            hooks.WayCallbacks(
                hooks.ContainerCallbacks(
                    guard.create_tunnel, guard.update_tunnel, guard.delete_tunnel
                ),
                refuse_deleted=guard.refuse_deleted,
                write_routes=guard.write_routes,
                remove_routes=guard.remove_routes,
                remember_routes=guard.remember_routes,
                create_record=guard.create_record,
                delete_record=guard.delete_record,
                gate=self.pass_gate,
                gate_again=self.pass_gate_again,
            )
        )

    def declare(
        self,
        hosts: Mapping[str, Host],
        guests: GuestPrograms,
        services: Mapping[str, Service],
        last_outputs: Mapping[str, Any],
    ) -> Way | None:
        """Make the components; None where no service has a route."""
        settings = self._settings
        if settings is None:
            return None
        last = last_outputs.get(OUTPUT) or {}
        routes = last.get("routes") or ()
        names = sorted({route.service for route in settings.routes})
        routed = [services[name] for name in names]
        led_to = _led_to_anew(settings.routes, last) if routes else ()
        first = [
            services[name].deploy for name in names if name in led_to or services[name].is_looked_at
        ]
        tunnel = Tunnel("ways-in", TunnelArgs(settings, self.guard, self._bindings, routes, first))
        host, it = hosts[settings.host], self._identity
        connector = Connector(
            host.name,
            ConnectorArgs(
                settings=settings,
                host=host,
                guest=guests.of(host),
                token=tunnel.token,
                published=tunnel.published,
                owner=f"{it.project}/{it.stack}/{TUNNEL_NAME}/{it.id}",
                left=self._bindings.left,
            ),
            # Of another name, the same machine has the same connector.
            opts=pulumi.ResourceOptions(aliases=formerly(host.was)),
        )
        pulumi.Stash(
            "public",
            input=pulumi.Output.all(*_on_the_way(tunnel, connector, routed)).apply(
                lambda found: _digest(settings, found)
            ),
            opts=pulumi.ResourceOptions(
                hooks=self._bindings.gate,
                depends_on=[
                    tunnel.routes,
                    connector.run,
                    *tunnel.published,
                    *(service.deploy for service in routed),
                ],
            ),
        )
        return Way(tunnel, connector, settings)

    async def pass_gate(self, _args: pulumi.ResourceHookArgs) -> None:
        """Refuse to call it done before every public name answers."""
        await self._ask("answers", "everything else of this run was done")

    async def pass_gate_again(self, _args: pulumi.ResourceHookArgs) -> None:
        """The same, when a connector that was replaced has stopped and answers for no other one."""
        if self._settings is not None and not self._destroying():
            await self._ask(
                "answers without the connector that was replaced",
                "this was seen once the connector that was replaced had stopped",
            )

    async def _ask(self, good: str, when: str) -> None:
        failures = await gate(
            self._publics,
            lambda public: http.fetch(public.url),
            lambda asked: origin.examine(asked, http.fetch),
            self._connections,
        )
        if failures:
            lines = "\n".join(f"  {failure}" for failure in failures)
            raise RefusedError(
                f"{len(failures)} public name{'s do' if len(failures) > 1 else ' does'} not "
                f"answer as it must; {when}:\n{lines}"
            )
        for public in self._publics:
            pulumi.log.info(f"{public.url}: {good}")

    async def _connections(self) -> int | None:
        seen, settings = self.guard.seen, self._settings
        if settings is None or seen is None or seen.now is None:
            return None
        cloud = await self.guard.cloud()
        return len(await cloud.connections(settings.account, seen.now.id))


def _led_to_anew(routes: Sequence[RouteSettings], last: Mapping[str, Any]) -> set[str]:
    """The services that a rule leads to in another way than at the end of the last finished run.

    What a visitor is answered with until then may be another service, so these are deployed
    before the list is written.
    """
    before = last.get("rules") or ()
    return {route.service for route in routes if rule_of(route) not in before}


def _on_the_way(
    tunnel: Tunnel, connector: Connector, routed: Sequence[Service]
) -> list[pulumi.Output[Any]]:
    """One of these changes in each run that makes or changes a part of the way."""
    records = [value for record in tunnel.records.values() for value in record.written]
    services = [value for service in routed for value in (service.intent, service.deploy.id)]
    return [tunnel.tunnel.id, *tunnel.routes.written, *records, connector.asked, *services]


def _digest(settings: TunnelSettings, found: list[Any]) -> str:
    told = [settings.name, *(repr(route) for route in settings.routes)]
    return hashlib.sha256(json.dumps([told, found]).encode()).hexdigest()
