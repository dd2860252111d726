"""A container's address is announced, or it is said why not."""

from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from lab.guests import GuestError, NetworkInterface
from lab.host.announce import announce

CARD = NetworkInterface("eth0", "vmbr0", "BC:24:11:00:00:01", IPv4Interface("192.168.1.5/24"))


def test_a_container_that_ended_meanwhile_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(GuestError, match="eth0: address not announced"):
        announce(tmp_path / "gone", [CARD])


def test_a_card_without_an_address_is_not_announced(tmp_path: Path) -> None:
    announce(tmp_path / "gone", [NetworkInterface("eth0", "vmbr0", CARD.hwaddr)])
