"""The networks of a world in the making: which routers there are, and which addresses are free."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network


@dataclass
class Networks:
    """Router addresses by bridge and VLAN (None: untagged); `taken` are those of machines."""

    taken: set[IPv4Address]
    routers: dict[str, dict[int | None, set[IPv4Interface]]] = field(default_factory=dict)

    def add(
        self, bridge: str, vlan: int | None, network: IPv4Network, router: IPv4Address | None
    ) -> IPv4Address | None:
        """The router of `network` there: the wanted one, one that is there, or a free address.

        None where the network is full.
        """
        vlans = self.routers.setdefault(bridge, {})
        here = vlans.setdefault(vlan, set())
        if router is None or router not in network or router in self.taken:
            present = (r.ip for r in here if r.network == network)
            router = next(present, None) or self.free(network)
        if router is not None:
            here.add(IPv4Interface(f"{router}/{network.prefixlen}"))
        if not here:
            del vlans[vlan]
        return router

    def elsewhere(
        self, bridge: str, vlan: int | None, network: IPv4Network, router: IPv4Address | None
    ) -> str | None:
        """The other bridge or VLAN, in words, that has `network` or its router already."""
        for name, vlans in self.routers.items():
            for tag, routers in vlans.items():
                if (name, tag) != (bridge, vlan) and any(
                    network == known.network or router == known.ip for known in routers
                ):
                    return name if tag is None else f"VLAN {tag} of {name}"
        return None

    def free(self, network: IPv4Network) -> IPv4Address | None:
        """The first address of `network` that nothing has."""
        routers = {r.ip for vlans in self.routers.values() for rs in vlans.values() for r in rs}
        return next((a for a in _addresses(network) if a not in self.taken | routers), None)

    def find(self, address: IPv4Address) -> tuple[str, int | None, IPv4Interface] | None:
        """Bridge, VLAN and router of the network that `address` is in."""
        for bridge, vlans in self.routers.items():
            for vlan, routers in vlans.items():
                for router in sorted(routers):
                    if address in router.network:
                        return bridge, vlan, router
        return None

    def unused(self, prefix: int) -> IPv4Network:
        """A network that touches no other and no machine."""
        return next(
            candidate
            for candidate in IPv4Network("10.254.0.0/16").subnets(new_prefix=prefix)
            if not any(address in candidate for address in self.taken)
            and self.find(candidate.network_address) is None
        )


def _addresses(network: IPv4Network) -> Iterator[IPv4Address]:
    for number in range(int(network.network_address) + 1, int(network.broadcast_address)):
        yield IPv4Address(number)
