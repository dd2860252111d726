"""Host keys of the machines that exist already: there before the machines are first started.

A stack may declare a host that is off, or that no container can play here: what ssh should
expect of it is known all the same.
"""

import json
from dataclasses import asdict

from lab.host.identity import HostKey, new_host_keys
from lab.host.known_hosts import known_hosts_lines, replace_lines
from lab.paths import LabPaths
from lab.world.models import World


def ensure_machine_keys(paths: LabPaths, world: World) -> dict[str, tuple[HostKey, ...]]:
    """Keys of the node and of each host, made once, and the known_hosts file for stacks."""
    file = paths.root / "machines" / "host_keys.json"
    if file.exists():
        kept = json.loads(file.read_text(encoding="utf-8"))
        return {name: tuple(HostKey(**key) for key in keys) for name, keys in kept.items()}
    node = world.proxmox.node
    places = {node.name: ([node.name, str(node.address.ip), *node.dns_names], 22)}
    places |= {n: ([n, str(host.address.ip)], host.ssh_port) for n, host in world.hosts.items()}
    keys = {name: new_host_keys(f"root@{name}") for name in places}
    lines: list[str] = []
    for name, (names, port) in places.items():
        lines += known_hosts_lines(names, port, [key.public.strip() for key in keys[name]])
    replace_lines(paths.existing_known_hosts, lines)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps({n: [asdict(k) for k in own] for n, own in keys.items()}))
    return keys
