"""Asked by the engine before the tunnel, its list and its records are made, changed or deleted.

It refuses what is somebody else's, says what will happen, and does what the provider does not:
the provider's delete of the list sends nothing, that of a tunnel fails on live connections, and
that of a record where it is gone (docs/decisions/0034).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pulumi

from infra import last_run
from infra.cloudflare import ingress, words
from infra.cloudflare.carried import lost
from infra.cloudflare.client import CloudError
from infra.cloudflare.ingress import Known, is_route
from infra.cloudflare.look import Cloud, Connect, TunnelNow, connect, is_local
from infra.cloudflare.order import hidden
from infra.cloudflare.seen import LastRoutes, Seen, names_in
from infra.cloudflare.words import NOTED, Identity
from infra.guard.survey import RefusedError
from infra.settings.ways_result import CloudflareAccess, RouteSettings, TunnelSettings

DRAIN_S = 20
"""What connections have to end by themselves, once the connector was told to stop."""
ATTEMPTS = 5


State = Callable[[str, str], Awaitable[Mapping[str, Mapping[str, Any]]]]


class TunnelGuard:
    """One for a run. `settings` is None where no route is left; `access` may still be there."""

    def __init__(
        self,
        settings: TunnelSettings | None,
        access: CloudflareAccess | None,
        identity: Identity,
        destroying: Callable[[], bool],
        reach: Connect = connect,
        *,
        state: State = last_run.resources,
    ) -> None:
        self.settings = settings
        self.identity = identity
        self._access = access
        self._destroying = destroying
        self._reach = reach
        self._state = state
        self._cloud: Cloud | None = None
        self._zone: str | None = None
        self._settled: set[str] = set()
        self._had: frozenset[tuple[str, str]] = frozenset()
        self._free: set[str] = set()
        self.seen: Seen | None = None

    def settle(self, resource: pulumi.CustomResource) -> None:
        """Notice when the registration of the tunnel, or of its list, has returned."""
        name = resource.pulumi_resource_name
        resource.urn.apply(lambda _: self._settled.add(name))

    async def cloud(self) -> Cloud:
        """Cloudflare, asked with the token of the stack."""
        if self._cloud is None:
            if self._access is None:
                raise RefusedError(
                    "cloudflare/api_token: missing, and the tunnel that this stack made cannot be "
                    "deleted without it; leave berth:cloudflare in the stack file until the "
                    "tunnel is gone, or set CLOUDFLARE_API_TOKEN"
                )
            self._cloud = await self._reach(self._access)
        return self._cloud

    async def zone(self) -> str:
        """The id of the zone that all names are in."""
        if self._zone is None:
            assert self.settings is not None
            cloud = await self.cloud()
            self._zone = await cloud.zone(self.settings.zone, self.settings.account)
        return self._zone

    async def noted_routes(self) -> LastRoutes:
        """The routes that this stack has written, also in a run that did not end well."""
        made = await self._state(self.identity.project, self.identity.stack)
        [noted] = [one for urn, one in made.items() if urn.endswith(f"::{NOTED}")] or [{}]
        return sorted(names_in(noted.get("input")))

    async def create_tunnel(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuse a name that is taken: the provider would try again for minutes."""
        inputs = args.new_inputs or {}
        await self.zone()
        await self._ensure_none_is_replaced()
        account = str(inputs.get("accountId"))
        there = await (await self.cloud()).tunnel_named(account, str(inputs.get("name")))
        if there is not None:
            if is_local(there):
                raise RefusedError(words.tunnel_is_local(account, there))
            raise RefusedError(words.tunnel_taken(self.identity, account, there))
        if self.settings is not None:
            names = {one.hostname for one in self.settings.routes}
            if refused := await self._names_taken(names):
                raise RefusedError("\n".join(refused))
        pulumi.log.info(f"tunnel {inputs.get('name')}: is made")

    async def update_tunnel(self, args: pulumi.ResourceHookArgs) -> None:
        """A name can change in place, where the new one is free."""
        old, new = args.old_inputs or {}, args.new_inputs or {}
        if old.get("name") != new.get("name"):
            account = str(new.get("accountId"))
            there = await (await self.cloud()).tunnel_named(account, str(new.get("name")))
            if there is not None:
                raise RefusedError(words.rename_refused(str(old.get("name")), account, there))
            pulumi.log.info(f"tunnel {old.get('name')}: is renamed to {new.get('name')}, in place")

    async def delete_tunnel(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuse a replacement; else delete it once nothing of anybody else's is in it."""
        inputs = args.old_inputs or {}
        account, name = str(inputs.get("accountId")), str(inputs.get("name"))
        cloud = await self.cloud()
        now = await cloud.tunnel(account, args.id)
        if self._replaces(args.name):
            self._refuse_replacement(now, inputs)
        if now.deleted:
            pulumi.log.info(f"tunnel {name}: is gone from Cloudflare already")
            return
        if now.local:
            pulumi.log.warn(words.local_stays(name))
            return
        others = ingress.foreign(now.ingress, self._known())
        if others:
            names = ", ".join(sorted({ingress.name_of(rule)[0] for rule in others}))
            pulumi.log.warn(
                f"tunnel {name}: stays at Cloudflare, since it has routes that this stack did not "
                f"make ({names}); the stack forgets it. Its own routes, names and connector go"
            )
            if not pulumi.runtime.is_dry_run():
                await self._leave_to_others(cloud, account, now)
            return
        pulumi.log.warn(f"tunnel {name}: is deleted; its public names stop working")
        if not pulumi.runtime.is_dry_run():
            await self._delete(cloud, account, args.id, name)

    async def write_routes(self, args: pulumi.ResourceHookArgs) -> None:
        """Say which routes come, go and change; refuse what would be lost to others."""
        old, new = _rules(args.old_inputs), _rules(args.new_inputs)
        if self.settings is None:
            return
        routes = self.settings.routes
        before = {ingress.name_of(rule)[0] for rule in old}
        wanted = {ingress.name_of(ingress.rule_of(one)) for one in routes}
        refused = await self._names_taken({one.hostname for one in routes} - before)
        refused += self._overwritten(routes, wanted)
        if refused:
            raise RefusedError("\n".join(refused))
        for line in words.routes_change(old, new, wanted):
            pulumi.log.info(line)
        for rule, wide in hidden(new, wanted):
            pulumi.log.warn(words.route_hidden(rule, wide))

    async def remove_routes(self, args: pulumi.ResourceHookArgs) -> None:
        """Take this stack's routes out of the list, which the provider's delete leaves behind."""
        inputs = args.old_inputs or {}
        account, tunnel = str(inputs.get("accountId")), str(inputs.get("tunnelId"))
        cloud = await self.cloud()
        now = await cloud.tunnel(account, tunnel)
        if now.deleted:
            return
        if self._replaces(args.name):
            # It goes before the tunnel does, whose own refusal would come too late.
            raise RefusedError(words.replacement_refused(now.name, self._changes(inputs)))
        if self.settings is not None and not self._destroying():
            # The new list is there already, in its place.
            return
        if not pulumi.runtime.is_dry_run():
            await self._leave_to_others(cloud, account, now)

    async def create_record(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuse a name that has a record: the provider would fail half-way."""
        inputs = args.new_inputs or {}
        zone, name = str(inputs.get("zoneId")), str(inputs.get("name"))
        cloud = await self.cloud()
        for there in await cloud.records_named(zone, name):
            raise RefusedError(words.record_taken(self.identity, name, zone, args.name, there))
        pulumi.log.info(f"{name}: gets a DNS record, proxied, to the tunnel")

    async def delete_record(self, args: pulumi.ResourceHookArgs) -> None:
        """Delete it, where it is there still: the provider fails where somebody was faster."""
        if pulumi.runtime.is_dry_run():
            return
        inputs = args.old_inputs or {}
        if not await (await self.cloud()).delete_record(str(inputs.get("zoneId")), args.id):
            pulumi.log.info(f"{inputs.get('name')}: its DNS record is gone from Cloudflare already")

    async def refuse_deleted(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuse to go on with a tunnel that was deleted behind our back."""
        state = (args.new_inputs or {}).get("input")
        if isinstance(state, str) and state.startswith("deleted "):
            name = self.settings.name if self.settings else ""
            raise RefusedError(words.tunnel_deleted(name, state.removeprefix("deleted ")))

    async def remember_routes(self, args: pulumi.ResourceHookArgs) -> None:
        """The routes that this stack had, just before they are taken out."""
        self._had = names_in((args.old_inputs or {}).get("input"))

    async def _names_taken(self, names: set[str]) -> list[str]:
        """Before the first step is taken: a record's own look comes when half is done."""
        asked = sorted(names - self._free)
        if not asked:
            return []
        cloud, zone = await self.cloud(), await self.zone()
        found = await asyncio.gather(*(cloud.records_named(zone, name) for name in asked))
        refused = [
            words.record_taken(self.identity, name, zone, words.record_name(name), there)
            for name, records in zip(asked, found, strict=True)
            for there in records[:1]
            if there.get("comment") != self.identity.mark
        ]
        if not refused:
            self._free.update(asked)
        return refused

    async def _ensure_none_is_replaced(self) -> None:
        """One that was imported has no hook yet, and the provider would delete it in the end."""
        made = await self._state(self.identity.project, self.identity.stack)
        if (held := made.get(self.identity.tunnel_urn)) is not None:
            cloud = await self.cloud()
            now = await cloud.tunnel(str(held.get("accountId")), str(held.get("id")))
            self._refuse_replacement(now, held)

    def _refuse_replacement(self, now: TunnelNow, old: Mapping[str, Any]) -> None:
        if now.deleted:
            return
        if now.local:
            raise RefusedError(words.imported_is_local(self.identity, now.name))
        raise RefusedError(words.replacement_refused(now.name, self._changes(old)))

    def _overwritten(
        self, routes: Sequence[RouteSettings], wanted: Collection[tuple[str, str]]
    ) -> list[str]:
        """What others would lose by the list as it is to be written."""
        now = self.seen.now if self.seen else None
        if self.seen is None or now is None:
            return []
        refused = [words.route_taken(now.name, *both) for both in self.seen.taken(routes)]
        theirs = ingress.foreign(now.ingress, self.seen.known)
        kept = [rule for rule in theirs if ingress.name_of(rule) not in wanted]
        if gone := lost(kept, now.rest):
            refused.append(words.settings_lost(now.name, gone))
        return refused

    async def _delete(self, cloud: Cloud, account: str, tunnel: str, name: str) -> None:
        for _ in range(DRAIN_S):
            if not await cloud.connections(account, tunnel):
                break
            await asyncio.sleep(1)
        for attempt in range(ATTEMPTS):
            try:
                # What is connected still is no connector of ours, or one whose host is dead.
                if await cloud.connections(account, tunnel):
                    await cloud.end_connections(account, tunnel)
                await cloud.delete_tunnel(account, tunnel)
            except CloudError as error:
                if 1022 not in error.codes or attempt == ATTEMPTS - 1:
                    raise RefusedError(
                        f"tunnel {name}: cannot be deleted ({error}); is a cloudflared of this "
                        "tunnel running on another machine? Stop it and run this again"
                    ) from None
            else:
                return

    def _replaces(self, name: str) -> bool:
        """Whether `name` is deleted to be made anew: it is declared, and not registered yet."""
        return self.settings is not None and name not in self._settled and not self._destroying()

    async def _leave_to_others(self, cloud: Cloud, account: str, now: TunnelNow) -> None:
        kept = ingress.foreign(now.ingress, self._known())
        if len(kept) < sum(map(is_route, now.ingress)):
            await cloud.write_ingress(account, now.id, now.rest, [*kept, ingress.CATCH_ALL])

    def _known(self) -> Known:
        known = self.seen.known if self.seen else Known((), ())
        return replace(known, names={*known.names, *self._had})

    def _changes(self, old: Mapping[str, Any]) -> str:
        if self.settings and old.get("accountId") != self.settings.account:
            return f"account {old.get('accountId')} -> {self.settings.account}"
        return "asked for with --replace, or a changed provider"


def _rules(inputs: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    config = (inputs or {}).get("config")
    rules = config.get("ingresses") if isinstance(config, Mapping) else None
    return [rule for rule in rules or () if isinstance(rule, Mapping)]
