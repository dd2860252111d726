"""Tells a network who has an address now, as a machine does that boots with a card of its own.

A container that is made anew has its address on another card. Who spoke with the one before
would send to that one's card until their neighbour table gives it up, eight seconds later.
"""

import socket
import struct
from collections.abc import Iterable
from pathlib import Path

from lab.guests import GuestError, NetworkInterface
from lab.host.namespaces import run_in_network

_EVERYBODY = b"\xff" * 6
_ARP = 0x0806
_ETHERNET, _IPV4, _REQUEST = 1, 0x0800, 1


def announce(network: Path, cards: Iterable[NetworkInterface]) -> None:
    """Send an ARP announcement (RFC 5227, section 3) for each card with an IPv4 address.

    `network`: the container's network namespace. Raises GuestError.
    """
    told = [card for card in cards if card.ipv4 and not card.link_down]
    if not told:
        return
    try:
        with run_in_network(network, _raw_socket) as raw:
            for card in told:
                raw.sendto(frame(card), (card.name, _ARP))
    except OSError as error:
        names = ", ".join(card.name for card in told)
        raise GuestError(f"{names}: address not announced ({error.strerror})") from error


def _raw_socket() -> socket.socket:
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)


def frame(card: NetworkInterface) -> bytes:
    """The Ethernet frame: a request for the own address, from the own card, to everybody."""
    assert card.ipv4
    own, address = bytes.fromhex(card.hwaddr.replace(":", "")), card.ipv4.ip.packed
    ethernet = struct.pack("!6s6sH", _EVERYBODY, own, _ARP)
    lengths = (len(own), len(address))
    arp = struct.pack("!HHBBH", _ETHERNET, _IPV4, *lengths, _REQUEST)
    return ethernet + arp + own + address + bytes(6) + address
