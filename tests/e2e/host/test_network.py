"""Containers reach what they should reach, and nothing else; cards change while they run."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface

import pytest

from lab.guests import GuestSpec, LiveInterface
from lab.host.commands import run
from lab.host.enter import namespace_file
from lab.host.namespaces import network_of, open_socket_in
from lab.host.network import make_network
from tests.e2e.host.real import TUN, Host, card

pytestmark = pytest.mark.root

_PING = "ping -c 1 -W 2 -q {} > /dev/null && echo answered || echo silent"


async def test_two_subnets_reach_each_other_through_the_lab_and_nothing_outside(host: Host) -> None:
    here = await host.running(111)
    far = card(112, ipv4=IPv4Interface("192.168.200.12/24"), gateway4=IPv4Address("192.168.200.1"))
    await host.running(112, interfaces=(far,))
    assert host.answer(here, _PING.format("192.168.200.12")) == "answered"
    assert host.answer(here, _PING.format("192.0.2.1")) == "silent"


async def test_the_router_keeps_its_card_whoever_joins_or_leaves_its_bridge(host: Host) -> None:
    inside = ["ip", "-netns", host.paths.namespace]

    async def router() -> str:
        return (await run([*inside, "-oneline", "link", "show", "vmbr0"])).partition("ether ")[2]

    await host.running(111)
    before = await router()
    assert before
    lowest = ["address", "02:00:00:00:00:01", "master", "vmbr0"]
    await run([*inside, "link", "add", "joins", *lowest, "type", "veth", "peer", "name", "other"])
    assert await router() == before
    await run([*inside, "link", "delete", "joins"])
    assert await router() == before


async def test_a_vlan_is_a_network_of_its_own(host: Host) -> None:
    here = await host.running(111)
    tagged = card(112, vlan=20)
    spec = await host.create(host.spec(112, interfaces=(tagged,)))
    await host.guests.start(spec, host.log.append)
    # The same network by its address, another one by its tag.
    assert host.answer(here, _PING.format("192.168.1.112")) == "silent"
    routed = replace(
        tagged, ipv4=IPv4Interface("192.168.20.12/24"), gateway4=IPv4Address("192.168.20.1")
    )
    await host.guests.apply(spec, replace(spec, interfaces=(routed,)))
    assert host.answer(here, _PING.format("192.168.20.12")) == "answered"


async def test_a_changed_address_holds_at_once_and_after_a_reboot(host: Host) -> None:
    spec = await host.running()
    moved = replace(spec, interfaces=(card(111, ipv4=IPv4Interface("192.168.1.77/24")),))
    await host.guests.apply(spec, moved)
    assert host.answer(moved, "hostname -I") == "192.168.1.77"
    assert host.guests.is_running(spec.key)
    before = host.guests.init_pid(spec.key)
    host.ssh("192.168.1.77", "systemctl reboot")
    pid = before
    while pid == before or not pid:
        pid = await host.guests.next_init(spec.key)
    assert host.answer(moved, "hostname -I; ip route show default").split()[:4] == [
        "192.168.1.77",
        "default",
        "via",
        "192.168.1.1",
    ]


async def test_cards_are_added_and_removed_while_it_runs(host: Host) -> None:
    spec = await host.running()
    second = card(
        112,
        name="eth1",
        ipv4=IPv4Interface("10.10.0.9/24"),
        gateway4=None,
        ipv6=IPv6Interface("fd00::9/64"),
    )
    both = replace(spec, interfaces=(spec.interfaces[0], second))
    await host.guests.apply(spec, both)
    shown = {link.name: set(map(str, link.addresses)) for link in await _links(host, spec)}
    assert {"10.10.0.9/24", "fd00::9/64"} <= shown["eth1"]
    assert host.answer(spec, _PING.format("10.10.0.1")) == "answered"
    await host.guests.apply(both, spec)
    assert "eth1" not in {link.name for link in await _links(host, spec)}


async def _links(host: Host, spec: GuestSpec) -> tuple[LiveInterface, ...]:
    return await host.guests.interfaces(spec.key)


async def test_the_network_can_be_made_twice_without_a_change(host: Host) -> None:
    spec = await host.running()
    make_network(host.paths, host.world)
    assert host.answer(spec, _PING.format("192.168.1.1")) == "answered"


async def test_a_socket_opened_in_a_containers_network_answers_at_its_address(host: Host) -> None:
    one, two = await host.running(111), await host.running(112)
    pid = host.guests.init_pid(one.key)
    assert pid
    with open_socket_in(network_of(pid), "192.168.1.111", 8006) as listening:
        assert host.answer(
            two, "timeout 2 bash -c '</dev/tcp/192.168.1.111/8006' && echo open"
        ) == ("open")
        listening.settimeout(5)
        connection, peer = listening.accept()
        connection.close()
        assert peer[0] == "192.168.1.112"
    with (
        open_socket_in(namespace_file(host.paths), "192.168.1.1", 8080),
        pytest.raises(OSError, match="in use"),
    ):
        open_socket_in(namespace_file(host.paths), "192.168.1.1", 8080)


async def test_the_tunnel_device_can_be_opened_inside(host: Host) -> None:
    without = await host.running()
    spec = host.made[-1] = replace(without, devices=(TUN,))
    await host.guests.apply(without, spec)
    make = "ip tuntap add dev tun0 mode tun && ip -br link show tun0"
    assert host.answer(spec, make).startswith("tun0")


async def test_who_spoke_with_a_container_finds_the_one_that_took_its_place(host: Host) -> None:
    asker = await host.running(112)
    old = await host.running(111)
    assert host.answer(asker, _PING.format("192.168.1.111")) == "answered"
    await host.guests.stop(old.key, host.log.append)
    await host.guests.destroy(old, host.log.append)
    anew = host.spec(111, interfaces=(card(111, hwaddr="BC:24:11:0A:0B:0C"),))
    await host.guests.create(anew, host.template, host.access, host.log.append)
    await host.guests.start(anew, host.log.append)
    pid = host.guests.init_pid(asker.key)
    for network in (namespace_file(host.paths), network_of(pid or 0)):
        known = await run(["nsenter", f"--net={network}", "ip", "neigh", "show", "192.168.1.111"])
        assert "bc:24:11:00:00:6f" not in known
