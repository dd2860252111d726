"""What the lab's router does for its machines: names, and the way to packages."""

import os
import socket
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from ipaddress import IPv4Address
from pathlib import Path

from lab.host.enter import namespace_file
from lab.host.namespaces import open_socket_in
from lab.host.network import bridges
from lab.packages.cache import FileCache
from lab.packages.dns import NameServer
from lab.packages.gateway import Gateway
from lab.packages.sources import PackageHosts, find_package_hosts
from lab.paths import LabPaths, cache_dir
from lab.process.tls import server_context
from lab.world import World

Names = Mapping[str, Collection[IPv4Address]]


class Routers:
    """DNS, HTTP and HTTPS at each router address of the lab's namespace."""

    def __init__(self, paths: LabPaths, world: World, names: Names) -> None:
        self._paths = paths
        self._addresses = [str(r.ip) for _, routers in bridges(world) for r in routers]
        self._names = names
        self._gateway: Gateway | None = None
        self._hosts: frozenset[str] = frozenset()

    async def start(self, stack: AsyncExitStack) -> PackageHosts:
        """Answer; returns the hosts that machines of the lab can reach."""
        hosts = await find_package_hosts(os.environ)
        gateway = Gateway(
            hosts,
            FileCache(cache_dir() / "packages"),
            lambda name: server_context(self._paths, f"package-{name}", [name]),
        )
        stack.push_async_callback(gateway.close)
        await gateway.start(self._listen(80), self._listen(443))
        server = NameServer(self._names, hosts.all, IPv4Address(self._addresses[0]))
        stack.push_async_callback(server.close)
        datagrams = [
            open_socket_in(namespace_file(self._paths), a, 53, kind=socket.SOCK_DGRAM)
            for a in self._addresses
        ]
        await server.start(datagrams, self._listen(53))
        self._gateway = gateway
        self._hosts = hosts.all
        return hosts

    def lookup(self, name: str) -> list[IPv4Address]:
        """What the name server would answer; nothing for a name that it does not know."""
        if own := self._names.get(name.lower()):
            return list(own)
        return [IPv4Address(self._addresses[0])] if name.lower() in self._hosts else []

    def switch(self, *, on: bool) -> None:
        """Open or cut the way to packages."""
        if self._gateway is not None:
            self._gateway.enabled = on

    @property
    def open(self) -> bool:
        """Whether packages can be reached."""
        return self._gateway is not None and self._gateway.enabled

    @property
    def from_cache(self) -> int:
        """How many files machines were given from the cache since the process began."""
        return self._gateway.counters.from_cache if self._gateway is not None else 0

    def _listen(self, port: int) -> list[socket.socket]:
        namespace: Path = namespace_file(self._paths)
        return [open_socket_in(namespace, address, port) for address in self._addresses]
