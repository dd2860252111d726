"""Asks a service behind the tunnel directly, when the way through it gave no answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from infra.reach.answer import Answer, Trouble, unhealthy
from infra.settings.service import Health


@dataclass(frozen=True)
class Asked:
    """How cloudflared asks it. `trusted_here`: this machine trusts whom cloudflared's does."""

    url: str
    verify: bool
    trusted_here: bool
    server_name: str | None
    host_header: str
    health: Health | None


Fetch = Callable[..., Awaitable[Answer]]


async def examine(asked: Asked, fetch: Fetch) -> Trouble | None:
    """What is wrong with the service, as it looks from here; None where nothing is."""
    answer = await fetch(
        asked.url,
        verify=asked.verify and asked.trusted_here,
        server_name=asked.server_name,
        host_header=asked.host_header,
    )
    match answer.failed:
        case "tls":
            return Trouble(
                "origin certificate",
                f"cloudflared does not accept the certificate of {asked.url} ({answer.reason}). "
                "Give the route origin/ca_file with its CA, origin/server_name with the name in "
                "it, or origin/no_tls_verify: true",
            )
        case "no tls":
            return Trouble(
                "origin certificate",
                f"{asked.url} does not speak HTTPS as it should ({answer.reason}); see the "
                "journal of the service",
            )
        case None:
            return unhealthy(answer, asked.health) if asked.health else None
        case _:
            return Trouble(
                "origin",
                f"nothing answers at {asked.url} ({answer.reason}): is the service running? On "
                "its host, `systemctl status` and `journalctl` of its unit say more; a firewall "
                "of that host must let the connector's host in",
            )
