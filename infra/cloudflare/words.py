"""What is said about the tunnel, its records and its routes. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.cloudflare.carried import Lost
from infra.cloudflare.ingress import Rule, is_route, name_of
from infra.cloudflare.resources import RECORD, TUNNEL
from infra.settings.ways_result import RouteSettings

PROVIDER = "cloudflare"
TUNNEL_NAME = "tunnel"
NOTED = f"{TUNNEL_NAME}-ours"
"""The value in the state that has the names of this stack's routes."""
LONGEST_COMMENT = 100
LOCALLY = "configured locally, on the machine that it runs on"


@dataclass(frozen=True)
class Identity:
    """Which stack this is."""

    project: str
    stack: str
    id: str

    @property
    def mark(self) -> str:
        """The comment of each DNS record of this stack."""
        return f"berth {self.id} {self.project}/{self.stack}"[:LONGEST_COMMENT]

    @property
    def provider_urn(self) -> str:
        """Of the provider that an import must name."""
        return f"urn:pulumi:{self.stack}::{self.project}::pulumi:providers:cloudflare::{PROVIDER}"

    @property
    def tunnel_urn(self) -> str:
        """Of the tunnel."""
        return f"urn:pulumi:{self.stack}::{self.project}::{TUNNEL}::{TUNNEL_NAME}"


def record_name(hostname: str) -> str:
    """The name of a record's resource. `*` would mean something else in an option of the engine."""
    return f"{hostname.replace('*', '_wildcard')}-record"


def tunnel_taken(identity: Identity, account: str, there: Mapping[str, Any]) -> str:
    """Why a tunnel must not be made under a name that another one has."""
    return (
        f"{_taken(account, there)}, and this stack did not make it, or was "
        "ended just after it had. Nothing of it was changed. If it is somebody else's, give "
        "cloudflare/tunnel another name. If this stack is to have it, with its routes: "
        + _import(identity, TUNNEL, TUNNEL_NAME, f"{account}/{there['id']}")
    )


def tunnel_is_local(account: str, there: Mapping[str, Any]) -> str:
    """Why a tunnel of this name can neither be made nor taken over."""
    return (
        f"{_taken(account, there)}. It is {LOCALLY}, so this stack cannot have it. Nothing of it "
        "was changed. Give cloudflare/tunnel another name, or migrate that one in the dashboard "
        "first"
    )


def imported_is_local(identity: Identity, name: str) -> str:
    """Why a tunnel that was imported cannot be this stack's."""
    return (
        f"tunnel {name}: is {LOCALLY}, and would be deleted to be made anew. Nothing of it was "
        "changed. Migrate it in the dashboard, then `pulumi refresh`; or give cloudflare/tunnel "
        "another name, and let the stack forget this one: "
        f"pulumi state delete '{identity.tunnel_urn}'"
    )


def local_stays(name: str) -> str:
    """Why a tunnel is not deleted with its stack: nobody knows here what it is for."""
    return f"tunnel {name}: stays at Cloudflare, since it is {LOCALLY}; the stack forgets it"


def rename_refused(old: str, account: str, there: Mapping[str, Any]) -> str:
    """Why a tunnel must not get a name that another one has."""
    return (
        f"{_taken(account, there)}, so {old} cannot be renamed to it. Neither was changed. Give "
        "cloudflare/tunnel another name, or the old one"
    )


def _taken(account: str, there: Mapping[str, Any]) -> str:
    return (
        f"tunnel {there['name']}: account {account} has a tunnel of this name already, "
        f"{there['id']}, made {there.get('created_at')}"
    )


def record_taken(
    identity: Identity, name: str, zone: str, resource: str, there: Mapping[str, Any]
) -> str:
    """Why a record must not be made for a name that has one."""
    what = f"{name}: its DNS has a record already, {there['type']} to {there.get('content')}"
    if there.get("comment") == identity.mark:
        return (
            f"{what}, which this stack made in a run that was ended just after. Take it over: "
            + _import(identity, RECORD, resource, f"{zone}/{there['id']}")
        )
    whose = f" ({there['comment']})" if there.get("comment") else ""
    return (
        f"{what}{whose}, which belongs to somebody else. It stays as it is. Give the route "
        "another hostname, or delete that record at Cloudflare if nobody needs it"
    )


def route_taken(tunnel: str, route: RouteSettings, there: Rule) -> str:
    """Why a rule of somebody else's must not be overwritten."""
    with_what = f" with {', '.join(origin)}" if (origin := there.get("originRequest")) else ""
    return (
        f"{said(name_of(there))}: tunnel {tunnel} has a route for it already, to "
        f"{there.get('service')}{with_what}, which this stack did not make. It stays as it is. "
        f"Give {route.settings_path} another path or hostname, or, if nobody needs the other one, "
        "take it out of the tunnel's public hostnames by hand"
    )


def settings_lost(tunnel: str, gone: Iterable[Lost]) -> str:
    """Why the list must not be written."""
    lines = "".join(
        f"  {said(name) if name else 'the whole tunnel'}: {', '.join(places)}\n"
        for name, places in gone
    )
    return (
        f"tunnel {tunnel}: has settings that the provider does not know, and would drop when it "
        f"writes the list, which stays as it is:\n{lines}Take them out by hand, or move what needs "
        "them to another tunnel. A list in which no route of this stack changes need not be "
        "written: then `pulumi refresh` is enough"
    )


def route_hidden(rule: Rule, wide: Rule) -> str:
    """What somebody made is there, and of no use."""
    return (
        f"route {said(name_of(rule))}: is kept, but never reached: {said(name_of(wide))}, of this "
        "stack, is tried before it and takes everything"
    )


def said(name: tuple[str, str]) -> str:
    """Hostname and path of a rule, in one."""
    return " ".join(filter(None, name))


def record_gone(name: str) -> str:
    """What the engine does not see by itself."""
    return (
        f"{name}: its DNS record is gone, or no longer marked as this stack's: somebody changed it "
        "at Cloudflare. `pulumi refresh` notes that, and the next update puts it right; a destroy "
        "goes on without it"
    )


def tunnel_deleted(name: str, tunnel: str) -> str:
    """The tunnel was deleted, and not by this stack."""
    return (
        f"tunnel {name}: {tunnel} was deleted at Cloudflare, in its dashboard or by another "
        "program, so no public name of this stack works. To make it anew, "
        f"with its routes, names and connector: pulumi up --replace '**::{TUNNEL_NAME}'"
    )


def replacement_refused(name: str, changes: str) -> str:
    """Why a tunnel is not made anew."""
    return (
        f"tunnel {name}: would be deleted and made anew ({changes}), and every public name of this "
        "stack would be cut off. To keep it, take the change back. To move it, take the routes "
        "out and run `pulumi up`, then put them back together with the change"
    )


def routes_change(
    old: Iterable[Rule], new: Iterable[Rule], ours: Collection[tuple[str, str]]
) -> list[str]:
    """One line for each route that comes, goes or changes, or is somebody else's."""
    before = {name_of(rule): rule for rule in old if is_route(rule)}
    after = {name_of(rule): rule for rule in new if is_route(rule)}
    lines = []
    for name in sorted({*before, *after}):
        route = f"route {said(name)}"
        if name in after and name not in ours:
            lines.append(f"{route}: is kept, though this stack did not make it")
        elif name not in before:
            lines.append(f"{route}: added, to {after[name]['service']}")
        elif name not in after:
            lines.append(f"{route}: removed")
        elif before[name] != after[name]:
            lines.append(f"{route}: changed, to {after[name]['service']}")
    return lines


def _import(identity: Identity, kind: str, resource: str, place: str) -> str:
    provider = identity.provider_urn
    return (
        f"pulumi up --yes --skip-preview --target '{provider}' && "
        f"pulumi import --yes --protect=false --generate-code=false "
        f"--provider '{PROVIDER}={provider}' '{kind}' '{resource}' '{place}'"
    )
