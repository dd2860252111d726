"""What LXC itself needs: make, start and remove one container beside the API. Prints seconds."""

import asyncio
import json
import sys
import time
from ipaddress import IPv4Address, IPv4Interface

from lab.guests import Access, GuestSpec, NetworkInterface, Volume
from lab.host.lxc import LxcGuests
from lab.host.network import name_server
from lab.paths import LabPaths
from lab.world import load_world

_KEY = "bench-bare"


def _spec(paths: LabPaths) -> GuestSpec:
    card = NetworkInterface(
        name="eth0",
        bridge="vmbr0",
        hwaddr="BC:24:11:00:BE:4C",
        ipv4=IPv4Interface("192.168.1.149/24"),
        gateway4=IPv4Address("192.168.1.1"),
    )
    image = paths.root / "machines" / f"{_KEY}.raw"
    return GuestSpec(
        key=_KEY,
        hostname=_KEY,
        rootfs=Volume(volid=_KEY, image=image, size_bytes=24 * 1024**3),
        mounts=(),
        interfaces=(card,),
        devices=(),
        cores=None,
        cpulimit=0,
        memory_mb=512,
        swap_mb=0,
        nameservers=(),
        searchdomain=None,
        unprivileged=True,
        nesting=True,
    )


async def _measure(paths: LabPaths) -> float:
    world = load_world(paths.world)
    guests = LxcGuests(paths, lambda spec: name_server(world, spec))
    spec = _spec(paths)
    template = world.proxmox.templates[0].volume.partition(":vztmpl/")[2]
    archive = paths.storages / "local" / "template" / "cache" / template
    said: list[str] = []
    started = time.perf_counter()
    await guests.create(spec, archive, Access(), said.append)
    await guests.start(spec, said.append)
    took = time.perf_counter() - started
    await guests.stop(_KEY, said.append)
    await guests.destroy(spec, said.append)
    return took


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(LabPaths.of(sys.argv[1])))))
