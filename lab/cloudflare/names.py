"""Which public name leads to which tunnel, by the records of all zones. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from lab.cloudflare.state import DnsRecord

_TARGET = ".cfargotunnel.com"


@dataclass(frozen=True)
class Route:
    """Where a name leads; `is_foreign`: its zone is of another account, and nothing passes."""

    tunnel: str
    is_foreign: bool = False


@dataclass(frozen=True)
class Names:
    """`routes` by their names, which may begin with `*.`; `taken` is every name that exists."""

    routes: Mapping[str, Route]
    taken: Collection[str]

    def find(self, host: str) -> Route | None:
        """Its own record wins; a wildcard is for what does not exist, just below what does.

        RFC 4592: `*.a.test` says nothing of `x.b.a.test` where anything at or below `b.a.test` is.
        """
        known = host
        while known and known not in self.taken:
            known = known.partition(".")[2]
        return self.routes.get(host if known == host else f"*.{known}")


def names_of(
    records: Iterable[DnsRecord],
    accounts: Mapping[str, str],
    zones: Iterable[str],
    owners: Mapping[str, str],
) -> Names:
    """`accounts` is the account of each zone's id, `zones` their names, `owners` the tunnels'."""
    routes: dict[str, Route] = {}
    taken: set[str] = set()
    for zone in zones:
        _take(zone, taken)
    for record in records:
        _take(record.name, taken)
        target = record.content.lower().rstrip(".")
        if record.type == "CNAME" and record.proxied and target.endswith(_TARGET):
            tunnel = target.removesuffix(_TARGET)
            account = accounts.get(record.zone)
            routes[record.name] = Route(tunnel, owners.get(tunnel, account) != account)
    return Names(routes, taken)


def _take(name: str, taken: set[str]) -> None:
    """A name that is there, and all above it: they exist, be it without records."""
    while name and name not in taken:
        taken.add(name)
        name = name.partition(".")[2]
