"""HTTP from inside the lab's network: how its node downloads what a stack names by URL."""

import socket
import ssl
from collections.abc import Callable

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from lab.host.enter import namespace_file
from lab.host.namespaces import run_in_network
from lab.paths import LabPaths
from lab.process.routers import Routers


def connector_inside(
    paths: LabPaths, routers: Routers
) -> Callable[[], aiohttp.BaseConnector | None]:
    """Connections that start in the lab's namespace and know the lab's names."""

    def make_socket(facts: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, *_ = facts
        return run_in_network(namespace_file(paths), lambda: socket.socket(family, kind, protocol))

    def make() -> aiohttp.BaseConnector:
        return aiohttp.TCPConnector(
            socket_factory=make_socket,
            resolver=_LabNames(routers),
            ssl=ssl.create_default_context(cafile=str(paths.ca_bundle)),
        )

    return make


class _LabNames(AbstractResolver):
    def __init__(self, routers: Routers) -> None:
        self._routers = routers

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        addresses = self._routers.lookup(host)
        if not addresses:
            raise OSError(f"{host}: the lab knows no such name")
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Holds nothing."""
