"""From what a stack says to the parts of a world that fits it; what is assumed is said in notes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from lab.world import base, models
from lab.world.coherence import can_be_a_machines
from lab.world.fitting_clouds import CloudFit, fit_clouds
from lab.world.fitting_networks import Networks
from lab.world.fitting_stores import (
    fit_storages,
    fit_templates,
    fit_user,
    fits_model,
    with_room,
)
from lab.world.stack_facts import ContainerFacts, ExistingFacts, StackFacts

_NODE_ADDRESS = IPv4Interface("192.168.1.11/24")
_BRIDGE = "vmbr0"
_USUAL_PREFIX = 24
_SMALLEST_PREFIX = 30
_USUAL_PORT = 8006
_HTTPS = 443


@dataclass(frozen=True)
class Fit:
    """A world's parts, as the template writes them; `notes` are sentences for the person."""

    node: dict[str, Any]
    bridges: dict[str, dict[int | None, list[str]]]
    storages: dict[str, dict[str, Any]]
    templates: list[dict[str, str]]
    pools: list[str]
    user: str
    hosts: dict[str, dict[str, Any]]
    clouds: CloudFit
    secrets: list[str]
    notes: list[str]


def fit(facts: StackFacts) -> Fit:
    """The parts of a world in which the stack can run."""
    notes: list[str] = []
    containers = [c for c in facts.containers if _is_placed(c, notes)]
    taken = {c.address.ip for c in containers if c.address}
    taken |= {e.address for e in facts.existing if e.address}
    place = _endpoint(facts.endpoint, notes)
    if place.address is not None:
        taken.add(place.address)
    networks = Networks(taken)
    for container in containers:
        _add_network(container, networks, notes)
    node = _node(place, facts, networks, notes)
    hosts = _hosts(facts.existing, networks, node, notes)
    for bridge, vlans in networks.routers.items():
        if None not in vlans:
            networks.add(bridge, None, networks.unused(_USUAL_PREFIX), None)
            notes.append(f"bridge {bridge}: its untagged network is made up; hosts have VLANs only")
    return Fit(
        node=node,
        bridges={
            bridge: {vlan: [str(r) for r in sorted(routers)] for vlan, routers in vlans.items()}
            for bridge, vlans in networks.routers.items()
        },
        storages=fit_storages(facts.containers, notes),
        templates=fit_templates(facts.containers, notes),
        pools=_pools(facts.containers, notes),
        user=fit_user(facts.username, notes),
        hosts=hosts,
        clouds=fit_clouds(facts.clouds, notes),
        secrets=list(facts.secrets),
        notes=notes,
    )


def _pools(containers: Iterable[ContainerFacts], notes: list[str]) -> list[str]:
    wanted = {c.pool for c in containers if c.pool}
    fitting = {pool for pool in wanted if fits_model(models.PoolName, pool)}
    notes.extend(
        f"pool {pool!r}: is no name of a pool; left out" for pool in sorted(wanted - fitting)
    )
    parts = (pool.split("/") for pool in fitting)
    return sorted({"/".join(part[: i + 1]) for part in parts for i in range(len(part))})


def _is_placed(container: ContainerFacts, notes: list[str]) -> bool:
    where = f"hosts/{container.name}/container"
    if container.address is None or container.address.network.prefixlen > _SMALLEST_PREFIX:
        notes.append(f"{where}/address: no IPv4 address with a prefix of at most 30; no network")
        return False
    if not can_be_a_machines(container.address.ip):
        notes.append(f"{where}/address: {container.address.ip} can be no machine's; no network")
        return False
    if container.bridge is not None and not fits_model(models.BridgeName, container.bridge):
        notes.append(f"{where}/bridge: {container.bridge!r} is no name of a bridge; left out")
        return False
    if container.vlan is not None and container.vlan > 4094:
        notes.append(f"{where}/vlan: {container.vlan} is no VLAN; left out")
        return False
    return True


def _add_network(container: ContainerFacts, networks: Networks, notes: list[str]) -> None:
    if container.address is None:
        return
    bridge, network = container.bridge or _BRIDGE, container.address.network
    where = f"hosts/{container.name}/container"
    place = networks.elsewhere(bridge, container.vlan, network, container.gateway)
    if place is not None:
        networks.routers.setdefault(bridge, {})
        notes.append(
            f"{where}/address: its network is in {place}, and a lab has each once; "
            f"the container is made, and cannot be reached"
        )
        return
    router = networks.add(bridge, container.vlan, network, container.gateway)
    if router is None:
        notes.append(f"{where}/address: its network has no room for a router; left out")
    elif container.gateway is None:
        notes.append(f"{where}/gateway: is left open; the router is at {router}")
    elif router != container.gateway:
        notes.append(
            f"{where}/gateway: {container.gateway} is another machine, or outside the network; "
            f"the lab's router is at {router}"
        )


@dataclass(frozen=True)
class _Endpoint:
    address: IPv4Address | None
    name: str | None
    port: int


def _endpoint(endpoint: str | None, notes: list[str]) -> _Endpoint:
    if endpoint is None:
        notes.append("proxmox/endpoint: is left open; the node is at a made-up address")
        return _Endpoint(None, None, _USUAL_PORT)
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port or _HTTPS
    except ValueError:
        host, port = "", _USUAL_PORT
    try:
        address = ip_address(host)
    except ValueError:
        if fits_model(base.DnsName, host):
            notes.append(f"proxmox/endpoint: {host} is a name; the node's address is made up")
            return _Endpoint(None, host, port)
        notes.append("proxmox/endpoint: names no host; the lab puts its own in its place")
        return _Endpoint(None, None, _USUAL_PORT)
    if not isinstance(address, IPv4Address) or not can_be_a_machines(address):
        notes.append(f"proxmox/endpoint: {host} cannot be the node's; the lab uses another")
        return _Endpoint(None, None, _USUAL_PORT)
    return _Endpoint(address, None, port)


def _node(
    place: _Endpoint, facts: StackFacts, networks: Networks, notes: list[str]
) -> dict[str, Any]:
    bridge, network = _node_network(place, networks, notes)
    gateway = networks.add(bridge, None, network, None)
    address = place.address
    if address is not None and _is_the_networks(address, network):
        notes.append(f"proxmox/endpoint: {address} is no machine's; the lab uses another")
        address = None
    address = address or _usual_or_free(networks, network)
    networks.taken.add(address)
    names = Counter(c.node for c in facts.containers if c.node)
    valid = [name for name, _ in names.most_common() if fits_model(base.Name, name)]
    name = valid[0] if valid else "pve"
    notes.extend(
        f"node {other}: a lab has one node, {name}; containers on others are refused"
        for other in sorted(set(names) - {name})
    )
    return {
        "name": name,
        "address": f"{address}/{network.prefixlen}",
        "gateway": str(gateway),
        "bridge": bridge,
        "port": place.port,
        "dns_names": [place.name] if place.name else [],
        "cores": max([8, *(c.cores for c in facts.containers)]),
        "memory_mb": with_room(sum(c.memory_mb for c in facts.containers), least=32768),
    }


def _node_network(
    place: _Endpoint, networks: Networks, notes: list[str]
) -> tuple[str, IPv4Network]:
    """Bridge and network of the node: its address's, else one of the stack's with room."""
    if place.address is not None:
        found = networks.find(place.address)
        if found is not None and found[1] is None:
            return found[0], found[2].network
        if found is not None:
            notes.append("proxmox/endpoint: is in a VLAN's network; the lab has its node untagged")
        own = IPv4Interface(f"{place.address}/{_USUAL_PREFIX}").network
        return next(iter(networks.routers), _BRIDGE), own
    for bridge, vlans in networks.routers.items():
        for router in sorted(vlans.get(None, set())):
            if networks.free(router.network) is not None:
                return bridge, router.network
    bridge = next(iter(networks.routers), _BRIDGE)
    usual = _NODE_ADDRESS.network
    return bridge, usual if networks.find(_NODE_ADDRESS.ip) is None else networks.unused(24)


def _is_the_networks(address: IPv4Address, network: IPv4Network) -> bool:
    return address in {network.network_address, network.broadcast_address}


def _usual_or_free(networks: Networks, network: IPv4Network) -> IPv4Address:
    usual = _NODE_ADDRESS.ip
    if usual in network and usual not in networks.taken:
        return usual
    return networks.free(network) or usual


def _hosts(
    existing: Iterable[ExistingFacts], networks: Networks, node: dict[str, Any], notes: list[str]
) -> dict[str, dict[str, Any]]:
    hosts: dict[str, dict[str, Any]] = {}
    at_node = IPv4Interface(node["address"]).ip
    places: dict[IPv4Address, dict[str, Any]] = {}
    for host in existing:
        where = f"hosts/{host.name}/existing"
        if host.address is None or not fits_model(base.Name, host.name):
            notes.append(f"{where}: has no IPv4 address or no name that a world takes; left out")
        elif not can_be_a_machines(host.address):
            notes.append(f"{where}: {host.address} can be no machine's; left out")
        elif host.address == at_node:
            notes.append(f"{where}: is the node itself, where root logs in")
        elif host.name == node["name"]:
            notes.append(f"{where}: has the name of the node, which a world has once; left out")
        elif host.address in places:
            notes.append(f"{where}: is a machine that another host names already")
            places[host.address]["users"] += _further_users(host, places[host.address]["users"])
        elif (machine := _host(host, networks, node["bridge"])) is None:
            notes.append(f"{where}: is in a VLAN's network or the network itself; left out")
        else:
            hosts[host.name] = machine
            places[host.address] = machine
            notes.extend(f"{where}{note}" for note in _host_notes(host))
    return hosts


def _host(host: ExistingFacts, networks: Networks, bridge: str) -> dict[str, Any] | None:
    own = IPv4Interface(f"{host.address}/{_USUAL_PREFIX}")
    found = networks.find(own.ip)
    if found is not None and found[1] is not None:
        return None
    network = own.network
    if found is not None:
        bridge, network = found[0], found[2].network
    if _is_the_networks(own.ip, network):
        return None
    return {
        "address": f"{own.ip}/{network.prefixlen}",
        "gateway": str(networks.add(bridge, None, network, None)),
        "bridge": bridge,
        "ssh_port": min(host.port, 65535),
        "users": ["root", *_further_users(host, ["root"])],
    }


def _further_users(host: ExistingFacts, present: list[str]) -> list[str]:
    known = host.user in present or not fits_model(base.Name, host.user)
    return [] if known else [host.user]


def _host_notes(host: ExistingFacts) -> Iterable[str]:
    if not fits_model(base.Name, host.user):
        yield f"/user: {host.user!r} is no name that a world takes; left out"
    if host.states_host_key:
        yield (
            "/host_key: the lab does not have the private half of that key, so SSH to this "
            "machine is refused there, as to any impostor; leave host_key out of the stack file, "
            "and BERTH_KNOWN_HOSTS counts, which the lab provides"
        )
