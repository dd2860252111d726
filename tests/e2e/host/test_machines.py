"""The node and the hosts that exist already."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.host.machines import Machines
from lab.world.models import World
from tests.e2e.host.real import Host

pytestmark = pytest.mark.root


@pytest.fixture
async def machines(host: Host, world: World, templates: dict[str, Path]) -> AsyncIterator[Machines]:
    changed = world.model_copy(
        update={
            "hosts": {
                "probe": world.hosts["homebot"].model_copy(
                    update={"ssh_port": 2222, "users": ("deploy",), "disk_gb": 2}
                )
            }
        }
    )
    made = Machines(host.paths, changed, host.guests, templates)
    yield made
    for name in made.names:
        spec = made.spec(name)
        await host.guests.stop(spec.key, host.log.append)
        await host.guests.destroy(spec, host.log.append)


async def test_a_host_has_the_users_port_and_release_of_the_world(
    host: Host, machines: Machines
) -> None:
    await machines.start("probe", host.log.append)
    said = host.answer(
        "192.168.200.37", "sudo -n id -un; cat /etc/debian_version", user="deploy", port=2222
    )
    assert said.splitlines()[0] == "root"
    assert said.splitlines()[1].startswith("12.")
    refused = host.ssh("192.168.200.37", "true", user="root", port=2222)
    assert "Permission denied" in refused.stderr
    # What a stack is given is enough to be sure of the host.
    by_stack = host.answer(
        "192.168.200.37",
        "hostname",
        user="deploy",
        port=2222,
        known_hosts=host.paths.existing_known_hosts,
    )
    assert by_stack == "probe"


async def test_an_existing_host_is_known_to_stacks_and_a_container_is_not(
    host: Host, machines: Machines
) -> None:
    await machines.start("pve", host.log.append)
    await host.create(host.spec())
    assert "guest111" in host.paths.known_hosts.read_text()
    existing = host.paths.existing_known_hosts.read_text()
    assert "192.168.1.11" in existing
    assert "guest111" not in existing


async def test_a_nodes_reboot_is_told_with_its_new_process_however_it_came(
    host: Host, machines: Machines
) -> None:
    told: list[int | None] = []
    news = asyncio.Event()

    async def up(pid: int) -> None:
        told.append(pid)
        news.set()

    async def down() -> None:
        told.append(None)

    async def next_up() -> None:
        async with asyncio.timeout(30):
            await news.wait()
        news.clear()

    watching = asyncio.create_task(machines.watch("pve", up, down))
    try:
        await machines.start("pve", host.log.append)
        await next_up()
        host.answer("192.168.1.11", "true")
        await asyncio.to_thread(host.ssh, "192.168.1.11", "systemctl reboot")
        await next_up()
        await machines.reboot("pve", host.log.append)
        await next_up()
    finally:
        watching.cancel()
    first, down_one, second, down_two, third = told
    assert down_one is None
    assert down_two is None
    assert len({first, second, third}) == 3
    assert third == host.guests.init_pid("node-pve")


async def test_starting_twice_changes_nothing_and_an_unknown_name_is_named(
    host: Host, machines: Machines
) -> None:
    await machines.start("pve", host.log.append)
    before = host.guests.init_pid("node-pve")
    await machines.start("pve", host.log.append)
    assert host.guests.init_pid("node-pve") == before
    with pytest.raises(
        LabError, match="nothere: is no machine of this world; there are: pve, probe"
    ):
        await machines.start("nothere", host.log.append)
