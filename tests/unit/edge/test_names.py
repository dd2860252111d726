"""Published names resolve to the edge while they are published, and no other name does."""

from ipaddress import IPv4Address

import dns.message
import dns.rcode

from lab.host import internet
from lab.packages.dns import Address, NameServer

MACHINE = IPv4Address("192.168.1.111")


def answer(names: dict[str, list[Address]], name: str) -> tuple[int, list[str]]:
    server = NameServer(names, {"files.example"}, IPv4Address("192.168.1.1"))
    wire = server.answer(dns.message.make_query(name, "A").to_wire(), limit=None)
    assert wire is not None
    said = dns.message.from_wire(wire)
    return said.rcode(), [record.to_text() for rrset in said.answer for record in rrset]


def test_a_wildcard_stands_for_what_has_no_name_of_its_own() -> None:
    edge: list[Address] = [internet.EDGE]
    names: dict[str, list[Address]] = {"*.example.org": edge, "db.example.org": [MACHINE]}
    found = (dns.rcode.NOERROR, [str(internet.EDGE)])
    assert answer(names, "chat.example.org") == found
    assert answer(names, "a.b.example.org") == found
    assert answer(names, "db.example.org") == (dns.rcode.NOERROR, [str(MACHINE)])
    for other in ("example.org", "chat.example.net", "badexample.org"):
        assert answer(names, other) == (dns.rcode.NXDOMAIN, [])


def test_a_wildcard_says_nothing_of_what_is_below_another_name() -> None:
    edge: list[Address] = [internet.EDGE]
    names: dict[str, list[Address]] = {"*.example.org": edge, "db.example.org": [MACHINE]}
    names |= {"txt.example.org": [], "a.mail.example.org": [MACHINE]}
    for other in ("x.db.example.org", "mail.example.org", "b.mail.example.org"):
        assert answer(names, other) == (dns.rcode.NXDOMAIN, [])
    assert answer(names, "txt.example.org") == (dns.rcode.NOERROR, [])
    assert answer(names, "a.b.example.org")[1] == [str(internet.EDGE)]


def test_a_name_that_is_taken_back_is_gone_at_once() -> None:
    names: dict[str, list[Address]] = {"chat.example.org": [internet.EDGE]}
    assert answer(names, "chat.example.org")[1] == [str(internet.EDGE)]
    names.clear()
    assert answer(names, "chat.example.org") == (dns.rcode.NXDOMAIN, [])


def test_the_real_hosts_of_cloudflares_api_are_not_there_by_accident() -> None:
    assert "api.cloudflare.com" not in internet.NAMES
    assert "api.tailscale.com" not in internet.NAMES
