"""What a lab stands on: with containers a network namespace, without them the loopback address."""

from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import web

from lab.guests import Guests
from lab.process.internet import Clouds
from lab.proxmox.storage.fetch import Connector

Json = dict[str, Any]


class Ground(Protocol):
    """One of the two. Failures are LabErrors."""

    containers: bool
    endpoint: str
    cloudflare_url: str
    tailscale_url: str

    @property
    def connector(self) -> Connector:
        """How the node's downloads reach their servers."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the API's certificate, as Proxmox shows it."""

    async def open(self, say: Callable[[str], None]) -> Guests | None:
        """Prepare what the API needs before it can be made."""

    async def open_internet(self, clouds: Clouds, say: Callable[[str], None]) -> None:
        """Let what is outside answer, before any machine starts that may ask for it."""

    async def serve(self, app: web.Application, say: Callable[[str], None]) -> None:
        """Let the API answer at its address, and start what is there already."""

    def uptime_s(self) -> float:
        """Seconds since the node booted."""

    async def power(self, action: str) -> None:
        """Reboot or shut down the node."""

    async def machines(self) -> list[Json]:
        """Node, hosts and containers: name, kind, address, port, running."""

    async def start_host(self, name: str) -> None:
        """Switch a machine of the world on."""

    async def stop_host(self, name: str) -> None:
        """Switch a machine of the world off."""

    def switch_packages(self, *, on: bool) -> None:
        """Open or cut the way to packages."""

    def facts(self) -> Json:
        """More for `lab status`."""

    async def close(self) -> None:
        """Stop answering; containers go on running."""
