"""What makes a container this one: its names, addresses, keys and users."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface

from lab.guests import Access
from lab.host.furnish import Step, _with_block
from lab.host.identity import boot_steps, first_steps, hashed, new_host_keys, user_steps
from tests.unit.host.test_lxc_config import CARD, SPEC


def _text(steps: list[Step], path: str) -> str:
    return next(str(step["text"]) for step in steps if step.get("path") == path)


def test_hosts_names_the_container_and_keeps_its_domain() -> None:
    steps = boot_steps(replace(SPEC, hostname="chat.lan.example"), ("192.168.1.1",))
    assert _text(steps, "/etc/hostname") == "chat\n"
    assert "192.168.1.111 chat.lan.example chat" in _text(steps, "/etc/hosts")


def test_the_resolver_is_the_labs_and_nothing_that_was_there_before() -> None:
    steps = boot_steps(replace(SPEC, searchdomain="lan"), ("192.168.1.1", "10.0.0.1"))
    assert _text(steps, "/etc/resolv.conf") == (
        "search lan\nnameserver 192.168.1.1\nnameserver 10.0.0.1\n"
    )


def test_network_managers_of_any_kind_are_told_the_same_addresses() -> None:
    both = replace(CARD, ipv6=IPv6Interface("fd00::7/64"))
    steps = boot_steps(replace(SPEC, interfaces=(both,)), ())
    ifupdown = _text(steps, "/etc/network/interfaces")
    networkd = _text(steps, "/etc/systemd/network/eth0.network")
    for text in (ifupdown, networkd):
        assert "192.168.1.111/24" in text
        assert "fd00::7/64" in text
        assert "192.168.1.1\n" in text


def test_a_card_without_an_address_is_left_alone() -> None:
    bare = replace(CARD, ipv4=None, gateway4=None)
    steps = boot_steps(replace(SPEC, interfaces=(bare,)), ())
    assert "iface eth0 inet manual" in _text(steps, "/etc/network/interfaces")
    assert "192.168" not in _text(steps, "/etc/hosts")


def test_a_second_card_does_not_give_the_name_a_second_address() -> None:
    second = replace(
        CARD, name="eth1", ipv4=IPv4Interface("10.0.0.2/24"), gateway4=IPv4Address("10.0.0.1")
    )
    steps = boot_steps(replace(SPEC, interfaces=(CARD, second)), ())
    assert _text(steps, "/etc/hosts").count(" chat") == 1


def test_login_keys_are_roots_alone() -> None:
    steps = first_steps(Access(ssh_public_keys=("ssh-ed25519 AAAA a\n", "ssh-rsa BBBB b")), ())
    written = next(s for s in steps if s.get("path") == "/root/.ssh/authorized_keys")
    assert written["mode"] == 0o600
    assert written["text"] == "ssh-ed25519 AAAA a\nssh-rsa BBBB b\n"
    assert {"do": "directory", "path": "/root/.ssh", "mode": 0o700, "uid": 0, "gid": 0} in steps


def test_without_a_password_roots_stays_as_the_template_has_it() -> None:
    assert not [s for s in first_steps(Access(), ()) if s.get("path") == "/etc/shadow"]


def test_every_container_gets_host_keys_of_its_own() -> None:
    one, two = new_host_keys("a"), new_host_keys("a")
    assert [key.file for key in one] == [
        "/etc/ssh/ssh_host_ed25519_key",
        "/etc/ssh/ssh_host_ecdsa_key",
    ]
    assert not {key.public for key in one} & {key.public for key in two}


def test_root_is_not_made_again_among_the_users() -> None:
    steps = user_steps(("root", "deploy"), ("ssh-ed25519 AAAA a",))
    assert {step["key"] for step in steps if "key" in step} == {"deploy"}


def test_what_others_wrote_into_a_file_is_kept() -> None:
    old = "10.0.0.9 printer\n"
    first = _with_block(old, "192.168.1.111 chat")
    assert old in first
    second = _with_block(first, "192.168.1.112 chat")
    assert second.count("BEGIN PVE") == 1
    assert "192.168.1.111" not in second
    assert old in second


def test_a_password_is_never_hashed_the_same_way_twice() -> None:
    one, two = hashed("secret"), hashed("secret")
    assert one != two
    assert one.startswith("$6$")
    assert "secret" not in one
