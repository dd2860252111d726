"""What a world file's parts say of each other: names that nothing defines, places that clash."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import TYPE_CHECKING

from lab.proxmox.access.privileges import BUILT_IN_ROLES, PRIVILEGES

if TYPE_CHECKING:
    from lab.world.models import World

_FIRST_WITHOUT_BROADCAST = 31
_THIS_NETWORK = IPv4Network("0.0.0.0/8")


def problems(world: "World") -> Iterator[str]:
    """A sentence for each, with the place in the file."""
    yield from _network_problems(world)
    yield from _name_problems(world)
    yield from _storage_problems(world)
    yield from _right_problems(world)
    yield from world.cloudflare.problems()
    yield from world.tailscale.problems()
    yield from _stack_problems(world)


def _network_problems(world: "World") -> Iterator[str]:
    bridges, node = world.proxmox.bridges, world.proxmox.node
    places = {"proxmox/node": (node.bridge, node.address, node.gateway)}
    places |= {f"hosts/{n}": (h.bridge, h.address, h.gateway) for n, h in world.hosts.items()}
    routers = [(segment, router) for segment, routers in _segments(world) for router in routers]
    yield from _router_problems(routers)
    seen: dict[IPv4Address, str] = {r.ip: f"a router of {segment}" for segment, r in routers}
    for where, (bridge, address, gateway) in places.items():
        known = bridges.get(bridge)
        if known is None:
            yield f"{where}/bridge: {bridge} is not one of proxmox/bridges"
        elif not any(address.ip in router.network for router in known.routers):
            yield f"{where}/address: {address} is in no network of {bridge}"
        yield from _address_problems(f"{where}/address", address)
        if address.ip in seen:
            yield f"{where}/address: {address.ip} is {seen[address.ip]} already"
        seen.setdefault(address.ip, where)
        if gateway not in address.network:
            yield f"{where}/gateway: {gateway} is not in the network of {address}"
        elif gateway == address.ip:
            yield f"{where}/gateway: {gateway} is the machine itself"


def _segments(world: "World") -> Iterator[tuple[str, tuple[IPv4Interface, ...]]]:
    """Each network that machines can be in, by its place in the file, with its routers."""
    for name, bridge in world.proxmox.bridges.items():
        yield f"proxmox/bridges/{name}", bridge.routers
        for vlan, routers in bridge.vlans.items():
            yield f"proxmox/bridges/{name}/vlans/{vlan}", routers


def _router_problems(routers: list[tuple[str, IPv4Interface]]) -> Iterator[str]:
    """One address twice, or one network in two places, cannot be routed."""
    for index, (segment, router) in enumerate(routers):
        yield from _address_problems(f"{segment}: the router {router}", router)
        for other, earlier in routers[:index]:
            if router.ip == earlier.ip:
                yield f"{segment}: the router {router} is one of {other} already"
            elif segment != other and router.network == earlier.network:
                yield f"{segment}: the network of {router} is that of {earlier} in {other} already"


def _address_problems(where: str, address: IPv4Interface) -> Iterator[str]:
    if not can_be_a_machines(address.ip):
        yield f"{where}: {address.ip} is an address that no machine in a network can have"
    elif is_the_networks_own(address):
        yield f"{where}: {address} is the network's own, no machine's"


def can_be_a_machines(address: IPv4Address) -> bool:
    """Whether IPv4 lets a machine in a network have this address."""
    return not (
        address in _THIS_NETWORK
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
    )


def is_the_networks_own(address: IPv4Interface) -> bool:
    """Whether it is the address of the network itself, or the one for all of its machines."""
    network = address.network
    if network.prefixlen >= _FIRST_WITHOUT_BROADCAST:
        return False
    return address.ip in {network.network_address, network.broadcast_address}


def _name_problems(world: "World") -> Iterator[str]:
    node = world.proxmox.node.name
    if node in world.hosts:
        yield f"hosts/{node}: is the name of the node already"
    ids = Counter(guest.vm_id for guest in world.proxmox.guests)
    yield from (f"proxmox/guests: the id {one} is used twice" for one in ids if ids[one] > 1)
    pools = Counter(world.proxmox.pools)
    for pool, count in pools.items():
        if count > 1:
            yield f"proxmox/pools: {pool} is there twice"
        parent = pool.rpartition("/")[0]
        if parent and parent not in pools:
            yield f"proxmox/pools: {pool} is in {parent}, which is not one of them"


def _storage_problems(world: "World") -> Iterator[str]:
    storages, seen = world.proxmox.storages, set()
    for index, template in enumerate(world.proxmox.templates):
        storage = template.volume.partition(":")[0]
        where = f"proxmox/templates/{index}/volume"
        if storage not in storages:
            yield f"{where}: {storage} is not one of proxmox/storages"
        elif "vztmpl" not in storages[storage].content:
            yield f"{where}: storage {storage} does not hold vztmpl"
        if template.volume in seen:
            yield f"{where}: {template.volume} is there twice"
        seen.add(template.volume)


def _right_problems(world: "World") -> Iterator[str]:
    users, roles = world.proxmox.users, world.proxmox.roles
    for role, privileges in roles.items():
        if role in BUILT_IN_ROLES:
            yield f"proxmox/roles/{role}: is built in and cannot be another; give yours a name"
        for privilege in privileges:
            if privilege not in PRIVILEGES:
                yield f"proxmox/roles/{role}: Proxmox has no privilege {privilege}"
    subjects = {*users, *_tokens(world)}
    for index, entry in enumerate(world.proxmox.acl):
        where = f"proxmox/acl/{index}"
        if entry.subject not in subjects:
            yield f"{where}/subject: {entry.subject} is no user and no token of proxmox/users"
        if entry.role not in roles and entry.role not in BUILT_IN_ROLES:
            yield f"{where}/role: {entry.role} is not one of proxmox/roles, nor built in"


def _tokens(world: "World") -> set[str]:
    users = world.proxmox.users.items()
    return {f"{userid}!{token}" for userid, user in users for token in user.tokens}


def _stack_problems(world: "World") -> Iterator[str]:
    stack = world.stack
    if stack.api_token not in _tokens(world):
        yield f"stack/api_token: {stack.api_token} is no token of proxmox/users"
    if stack.login not in world.proxmox.users:
        yield f"stack/login: {stack.login} is not one of proxmox/users"
    token = stack.cloudflare_token
    if token is not None and token not in world.cloudflare.tokens:
        yield f"stack/cloudflare_token: {token} is not one of cloudflare/tokens"
    if stack.tailnet is not None and stack.tailnet not in world.tailscale.tailnets:
        yield f"stack/tailnet: {stack.tailnet} is not one of tailscale/tailnets"
    tailnet = world.tailscale.tailnets.get(stack.tailnet or "")
    for what, name, known in (
        ("key", stack.tailscale_key, tailnet.api_keys if tailnet else {}),
        ("client", stack.tailscale_client, tailnet.oauth_clients if tailnet else {}),
    ):
        if name is not None and name not in known:
            yield f"stack/tailscale_{what}: {name} is none of stack/tailnet's"
