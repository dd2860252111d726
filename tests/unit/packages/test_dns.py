"""Guests find the lab's machines and the gateway by name, and learn that nothing else exists."""

import asyncio
import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address

import dns.asyncquery
import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.reversename
import pytest

from lab.packages.dns import Address, NameServer

GATEWAY = IPv4Address("192.168.1.1")
Names = dict[str, list[Address]]


@pytest.fixture
def names() -> Names:
    return {
        "Chat": [IPv4Address("192.168.1.111")],
        "pve.home.example": [IPv4Address("192.168.1.11"), IPv6Address("fd00::b")],
    }


@pytest.fixture
async def ports(names: Names) -> AsyncIterator[dict[str, int]]:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    tcp = socket.create_server(("127.0.0.1", 0))
    server = NameServer(names, {"files.example"}, GATEWAY)
    await server.start([udp], [tcp])
    yield {"udp": udp.getsockname()[1], "tcp": tcp.getsockname()[1]}
    await server.close()


async def ask(ports: dict[str, int], name: str, kind: str = "A") -> dns.message.Message:
    query = dns.message.make_query(name, kind, use_edns=0)
    return await dns.asyncquery.udp(query, "127.0.0.1", port=ports["udp"], timeout=5)


def texts(answer: dns.message.Message) -> list[str]:
    return [record.to_text() for rrset in answer.answer for record in rrset]


@pytest.mark.parametrize("name", ["chat", "CHAT.", "chat."])
async def test_a_machine_is_found_by_its_name(ports: dict[str, int], name: str) -> None:
    assert texts(await ask(ports, name)) == ["192.168.1.111"]


async def test_a_package_host_is_the_gateway(ports: dict[str, int]) -> None:
    assert texts(await ask(ports, "Files.Example")) == ["192.168.1.1"]


async def test_a_name_that_is_new_is_known_at_once(ports: dict[str, int], names: Names) -> None:
    assert (await ask(ports, "web")).rcode() == dns.rcode.NXDOMAIN
    names["web"] = [IPv4Address("10.0.0.9")]
    assert texts(await ask(ports, "web")) == ["10.0.0.9"]


async def test_a_name_without_ipv6_does_not_look_absent(ports: dict[str, int]) -> None:
    for name in ("chat", "files.example"):
        answer = await ask(ports, name, "AAAA")
        assert (answer.rcode(), texts(answer)) == (dns.rcode.NOERROR, [])
    assert texts(await ask(ports, "pve.home.example", "AAAA")) == ["fd00::b"]


@pytest.mark.parametrize("name", ["example.org", "x.files.example", "files.example.org", "."])
async def test_every_other_name_does_not_exist_and_it_says_why(
    ports: dict[str, int], name: str
) -> None:
    answer = await ask(ports, name)
    assert answer.rcode() == dns.rcode.NXDOMAIN
    (reason,) = (option for option in answer.options if isinstance(option, dns.edns.EDEOption))
    assert reason.text == "neither in this lab nor a package host"


async def test_a_client_without_extensions_is_answered_without_them(ports: dict[str, int]) -> None:
    query = dns.message.make_query("example.org", "A", use_edns=-1)
    answer = await dns.asyncquery.udp(query, "127.0.0.1", port=ports["udp"], timeout=5)
    assert (answer.rcode(), answer.edns) == (dns.rcode.NXDOMAIN, -1)


async def test_an_address_of_the_lab_has_its_name(ports: dict[str, int]) -> None:
    for address, name in (("192.168.1.111", "Chat."), ("fd00::b", "pve.home.example.")):
        pointer = dns.reversename.from_address(address).to_text()
        assert texts(await ask(ports, pointer, "PTR")) == [name]
    other = dns.reversename.from_address("8.8.8.8").to_text()
    assert (await ask(ports, other, "PTR")).rcode() == dns.rcode.NXDOMAIN


async def test_several_questions_fit_one_connection(ports: dict[str, int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", ports["tcp"])
    for _ in range(3):
        wire = dns.message.make_query("chat", "A").to_wire(prepend_length=True)
        writer.write(wire)
        length = int.from_bytes(await asyncio.wait_for(reader.readexactly(2), 5), "big")
        answer = dns.message.from_wire(await reader.readexactly(length))
        assert texts(answer) == ["192.168.1.111"]
    writer.close()
    await writer.wait_closed()


async def test_too_long_an_answer_is_asked_again_by_tcp(
    ports: dict[str, int], names: Names
) -> None:
    names["many"] = [IPv4Address(0x0A000000 + n) for n in range(200)]
    query = dns.message.make_query("many", "A", use_edns=-1)
    short = await dns.asyncquery.udp(query, "127.0.0.1", port=ports["udp"], timeout=5)
    assert short.flags & dns.flags.TC
    whole = await dns.asyncquery.tcp(query, "127.0.0.1", port=ports["tcp"], timeout=5)
    assert len(texts(whole)) == 200


async def test_other_requests_are_refused_and_noise_does_no_harm(ports: dict[str, int]) -> None:
    update = dns.message.make_query("chat", "A")
    update.set_opcode(dns.opcode.NOTIFY)
    other_class = dns.message.make_query("version.bind", "TXT", "CH")
    for query, code in ((update, dns.rcode.NOTIMP), (other_class, dns.rcode.REFUSED)):
        answer = await dns.asyncquery.udp(query, "127.0.0.1", port=ports["udp"], timeout=5)
        assert answer.rcode() == code
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        for wire in (
            b"",
            b"x",
            b"\x00" * 11,
            b"\xff" * 40,
            b"\x12\x34\x01\x00\x00\x09" + b"\0" * 6,
        ):
            noise.sendto(wire, ("127.0.0.1", ports["udp"]))
    assert texts(await ask(ports, "chat")) == ["192.168.1.111"]
