"""The end of `up`: each public name is asked as an outsider would, and answers as it must.

One function decides, from what it is given to ask with; what follows a failure is the caller's.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from infra.reach import origin as origins
from infra.reach.answer import Answer, Trouble, judge
from infra.settings.service import Health
from infra.settings.ways_result import RouteSettings

LIMIT_S = 90.0
FIRM_S = 10.0
"""After which a certificate that is not accepted is taken for one that never will be."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2.0


@dataclass(frozen=True)
class Public:
    """One public name with what must be behind it.

    `url` is what is asked; `connector` is the host that cloudflared runs on as `unit`, for the
    words of a failure.
    """

    url: str
    hostname: str
    health: Health | None
    origin: origins.Asked
    ca_file: str | None
    connector: str
    unit: str


@dataclass(frozen=True)
class Failure:
    """Which part of the way is broken, and what to do."""

    url: str
    part: str
    text: str

    def __str__(self) -> str:
        return f"{self.url}: {self.part}: {self.text}"


Ask = Callable[[Public], Awaitable[Answer]]
AskOrigin = Callable[[origins.Asked], Awaitable[Trouble | None]]
CountConnections = Callable[[], Awaitable[int | None]]


async def gate(
    publics: Sequence[Public],
    ask: Ask,
    ask_origin: AskOrigin,
    connections: CountConnections,
    limit_s: float = LIMIT_S,
) -> list[Failure]:
    """Ask until every answer is right, for `limit_s` at most; what is left is told apart."""
    began, pause = time.monotonic(), FIRST_PAUSE_S
    left = list(publics)
    while True:
        answers = await asyncio.gather(*(ask(public) for public in left))
        troubles = [judge(a, p.hostname, p.health) for p, a in zip(left, answers, strict=True)]
        failing = [(p, t) for p, t in zip(left, troubles, strict=True) if t is not None]
        if not failing:
            return []
        waited = time.monotonic() - began
        if waited >= min(limit_s, FIRM_S):
            told = [await _told_apart(p, t, ask_origin, connections) for p, t in failing]
            if waited >= limit_s or all(one.part == "origin certificate" for one in told):
                return told
        left = [public for public, _ in failing]
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_S)


async def _told_apart(
    public: Public, trouble: Trouble, ask_origin: AskOrigin, connections: CountConnections
) -> Failure:
    if trouble.part == "tunnel":
        live = await connections()
        if live:
            trouble = trouble.but(f"Cloudflare counts {live} live connections of it by now")
        return Failure(public.url, "tunnel", trouble.but(_journal(public)).text)
    if trouble.part == "origin":
        nearer = await ask_origin(public.origin)
        if nearer is not None:
            return Failure(public.url, nearer.part, nearer.text)
        return Failure(public.url, "origin", _beyond_the_connector(public, trouble))
    return Failure(public.url, trouble.part, trouble.text)


def _beyond_the_connector(public: Public, trouble: Trouble) -> str:
    host, ca_file = public.connector, public.ca_file
    trusts = f" or does not trust it (origin/ca_file is a file of {host}: {ca_file})"
    return (
        Trouble(
            trouble.part,
            f"{trouble.text}, though {public.origin.url} answers this machine as it must: "
            f"{host} cannot reach it{trusts if ca_file else ''}",
        )
        .but(_journal(public))
        .text
    )


def _journal(public: Public) -> str:
    where = f"on {public.connector}, journalctl -u {public.unit} -n 50"
    return f"See what cloudflared says: {where}"


def public_of(route: RouteSettings, connector: str, unit: str) -> Public:
    """What to ask for a route. A part of a name that the health is not in has no health."""
    hostname = route.hostname.replace("*", "berth-check")
    path = route.health.path
    reached = route.path is None or re.search(route.path, path.partition("?")[0]) is not None
    asked = path if reached else _literal(route.path or "")
    return Public(
        url=f"https://{hostname}{asked}",
        hostname=hostname,
        health=route.health if reached else None,
        origin=origins.Asked(
            url=f"{route.url}{asked}",
            verify=not route.origin.no_tls_verify,
            # Those of the connector's host are not those of this machine.
            trusted_here=route.origin.ca_file is None,
            server_name=route.origin.server_name,
            host_header=route.origin.http_host_header or hostname,
            health=route.health if reached else None,
        ),
        ca_file=route.origin.ca_file,
        connector=connector,
        unit=unit,
    )


def _literal(pattern: str) -> str:
    """The beginning of a pattern that stands for itself: a path that it takes, most likely."""
    found = re.match(r"\^?(/[A-Za-z0-9_/-]*)", pattern)
    return found[1] if found else "/"
