"""A world made from a stack file has room for that stack, and says what it assumed."""

from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import LabError
from lab.world import World, load_world
from lab.world.from_stack import world_from_stack
from tests.conftest import REPO

STACK = """\
config:
  berth:proxmox: {endpoint: "https://10.1.0.5:8006/", username: me@pve, password: pw}
  berth:hosts:
    chat:
      container:
        node: kiste
        vm_id: 200
        address: 10.1.0.20/16
        gateway: 10.1.255.254
        bridge: vmbr7
        cores: 16
        memory_mb: 40000
        disk_gb: 500
        storage: tank-zfs
        template: {volume: "store:vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst"}
        pool: prod
    tagged:
      container: {node: kiste, address: 10.9.0.2/24, gateway: 10.9.0.1, bridge: vmbr7, vlan: 42,
                  template: {volume: "store:vztmpl/debian-12-standard_12.2-1_amd64.tar.zst"}}
    web: {existing: {address: 10.1.0.7, port: 2222, user: deploy, host_key: ssh-ed25519 AAAA}}
    far: {existing: {address: 172.20.3.4}}
  berth:cloudflare: {api_token: cf, account: 00112233445566778899aabbccddeeff, zone: home.example}
  berth:tailnet:
    oauth_client_id: k1CNTRL
    oauth_client_secret: ts
    keys: {one: {tags: ["tag:web", "tag:x"]}, two: {tags: ["tag:web", 1, "tag:deploy"]}}
  berth:secrets:
    pw: {secure: v1:a:b}
    cloud: {secure: v1:c:d}
    cf: {secure: v1:e:f}
    ts: {secure: v1:g:h}
"""


def made(tmp_path: Path, text: str) -> tuple[World, str]:
    stack, file = tmp_path / "Pulumi.mine.yaml", tmp_path / "world.yaml"
    stack.write_text(text, encoding="utf-8")
    file.write_text(world_from_stack(stack), encoding="utf-8")
    return load_world(file), file.read_text(encoding="utf-8")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path, STACK)[0]


def test_the_node_is_where_the_stack_looks_for_it(world: World) -> None:
    node = world.proxmox.node
    assert (node.name, str(node.address), node.port) == ("kiste", "10.1.0.5/16", 8006)
    assert (node.bridge, node.gateway) == ("vmbr7", IPv4Address("10.1.255.254"))


def test_every_gateway_of_the_stack_is_a_router_of_the_lab(world: World) -> None:
    bridge = world.proxmox.bridges["vmbr7"]
    assert IPv4Interface("10.1.255.254/16") in bridge.routers
    assert bridge.vlans == {42: (IPv4Interface("10.9.0.1/24"),)}


def test_the_node_and_its_storages_are_large_enough(world: World) -> None:
    assert world.proxmox.node.cores >= 16
    assert world.proxmox.node.memory_mb >= 40000
    tank = world.proxmox.storages["tank-zfs"]
    assert (tank.type, tank.size_gb >= 500) == ("zfspool", True)
    assert {"rootdir", "images"} <= set(tank.content)


def test_templates_are_there_and_one_that_stands_in_says_for_what(world: World) -> None:
    ubuntu, debian = world.proxmox.templates
    assert ubuntu.volume == "store:vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst"
    assert (ubuntu.release, ubuntu.stands_in_for) == ("trixie", "ubuntu-24.04")
    assert (debian.release, debian.stands_in_for) == ("bookworm", None)
    assert "vztmpl" in world.proxmox.storages["store"].content


def test_machines_that_exist_are_there_with_their_users_and_ports(world: World) -> None:
    web, far = world.hosts["web"], world.hosts["far"]
    assert (str(web.address), web.ssh_port, web.users) == ("10.1.0.7/16", 2222, ("root", "deploy"))
    assert (str(far.address), far.gateway) == ("172.20.3.4/24", IPv4Address("172.20.3.1"))


def test_the_login_of_the_stack_exists_with_the_rights_of_the_token(world: World) -> None:
    assert world.stack.login == "me@pve"
    roles = {entry.subject: entry.role for entry in world.proxmox.acl}
    assert roles == dict.fromkeys(("berth@pve", "berth@pve!deploy", "me@pve"), "Berth")
    assert world.proxmox.pools == ("prod",)


def test_what_is_assumed_or_impossible_is_said(tmp_path: Path) -> None:
    _, text = made(tmp_path, STACK)
    assert "# - hosts/web/existing/host_key: the lab does not have the private half" in text
    assert '#   "cloud": a value' in text
    for known in ('"pw"', '"cf"', '"ts"'):
        assert known not in text


def test_the_account_and_the_zone_of_the_stack_are_there_with_a_token_for_them(
    world: World,
) -> None:
    assert world.cloudflare.accounts["home"].id == "00112233445566778899aabbccddeeff"
    assert set(world.cloudflare.zones) == {"home.example"}
    assert world.stack.cloudflare_token is not None
    assert world.cloudflare.tokens[world.stack.cloudflare_token].rights == {
        "Cloudflare Tunnel Write": ("home",),
        "DNS Write": ("home.example",),
        "Zone Read": ("home.example",),
    }


def test_a_zone_in_capitals_is_the_zone_that_the_program_takes_it_for(tmp_path: Path) -> None:
    stack = STACK.replace("zone: home.example", "zone: Home.Example")
    assert stack != STACK
    assert set(made(tmp_path, stack)[0].cloudflare.zones) == {"home.example"}


def test_the_tags_of_the_stacks_keys_may_be_given_by_the_client_that_it_is_handed(
    world: World,
) -> None:
    assert world.stack.tailnet is not None
    tailnet = world.tailscale.tailnets[world.stack.tailnet]
    client = tailnet.oauth_clients[world.stack.tailscale_client or ""]
    assert set(tailnet.tag_owners) == {"tag:deploy", "tag:web", "tag:x"}
    for tag, owners in tailnet.tag_owners.items():
        assert {tag, *owners} & set(client.tags)


def test_a_stack_without_public_names_or_a_tailnet_gets_a_world_without(tmp_path: Path) -> None:
    world, _ = made(tmp_path, "config: {}\n")
    assert (world.cloudflare.accounts, world.tailscale.tailnets) == ({}, {})
    assert (world.stack.cloudflare_token, world.stack.tailnet) == (None, None)


def test_what_cannot_be_at_cloudflare_or_tailscale_is_said(tmp_path: Path) -> None:
    world, text = made(
        tmp_path,
        "config:\n  berth:cloudflare: {account: mine, zone: home}\n"
        "  berth:tailnet: {name: me@home, keys: {a: {tags: [web]}}}\n",
    )
    assert not world.cloudflare.zones
    assert "# - cloudflare/account: is no id of an account" in text
    assert "# - cloudflare/zone: is no domain" in text
    assert "# - tailnet/name: 'me@home' cannot be a world's" in text
    assert "# - tailnet/keys: 'web' is no tag; left out" in text


def test_an_endpoint_with_a_name_is_answered_by_the_labs_name_server(tmp_path: Path) -> None:
    world, text = made(
        tmp_path,
        "config:\n  berth:proxmox: {endpoint: 'https://pve.home.example/'}\n"
        "  berth:hosts: {a: {container: {address: 10.0.0.2/24, gateway: 10.0.0.1}}}\n",
    )
    node = world.proxmox.node
    assert (node.dns_names, node.port) == (("pve.home.example",), 443)
    assert str(node.address) == "10.0.0.3/24"
    assert "pve.home.example is a name; the node's address is made up" in text


def test_a_machine_that_is_the_node_or_named_twice_is_there_once(tmp_path: Path) -> None:
    world, text = made(
        tmp_path,
        "config:\n  berth:proxmox: {endpoint: 'https://10.0.0.9:8006'}\n  berth:hosts:\n"
        "    pve: {existing: {address: 10.0.0.9}}\n    one: {existing: {address: 10.0.0.2}}\n"
        "    two: {existing: {address: 10.0.0.2, user: deploy}}\n",
    )
    assert set(world.hosts) == {"one"}
    assert world.hosts["one"].users == ("root", "deploy")
    assert "hosts/pve/existing: is the node itself" in text


def test_a_gateway_that_is_another_machine_is_not_taken_for_the_router(tmp_path: Path) -> None:
    world, text = made(
        tmp_path,
        "config:\n  berth:proxmox: {endpoint: 'https://10.0.0.1:8006'}\n"
        "  berth:hosts: {a: {container: {address: 10.0.0.2/24, gateway: 10.0.0.1}}}\n",
    )
    assert str(world.proxmox.node.address) == "10.0.0.1/24"
    assert IPv4Interface("10.0.0.1/24") not in world.proxmox.bridges["vmbr0"].routers
    assert "gateway: 10.0.0.1 is another machine" in text


def test_a_network_that_is_on_two_bridges_is_had_on_one_and_that_is_said(tmp_path: Path) -> None:
    text = """\
config:
  berth:hosts:
    a: {container: {address: 192.168.1.30/24, gateway: 192.168.1.1, bridge: vmbr0}}
    b: {container: {address: 192.168.1.31/24, gateway: 192.168.1.1, bridge: vmbr1}}
    c: {container: {address: 192.168.1.32/25, gateway: 192.168.1.1, bridge: vmbr0, vlan: 20}}
"""
    world, written = made(tmp_path, text)
    assert set(world.proxmox.bridges) == {"vmbr0", "vmbr1"}
    for name in ("b", "c"):
        assert f"hosts/{name}/container/address: its network is in vmbr0" in written


def test_an_address_that_no_machine_can_have_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    text = """\
config:
  berth:hosts:
    here: {existing: {address: 127.0.0.1}}
    link: {container: {address: 169.254.1.2/24, gateway: 169.254.1.1, bridge: vmbr0}}
"""
    world, written = made(tmp_path, text)
    assert world.hosts == {}
    assert "hosts/here/existing: 127.0.0.1 can be no machine's" in written
    assert "hosts/link/container/address: 169.254.1.2 can be no machine's" in written


def test_pools_are_there_with_those_that_they_are_in_and_no_others(tmp_path: Path) -> None:
    text = """\
config:
  berth:hosts:
    a: {container: {address: 192.168.1.30/24, pool: prod/web}}
    b: {container: {address: 192.168.1.31/24, pool: Große}}
"""
    world, written = made(tmp_path, text)
    assert world.proxmox.pools == ("prod", "prod/web")
    assert "pool 'Große': is no name of a pool; left out" in written


def test_an_empty_stack_gets_a_usual_world(tmp_path: Path) -> None:
    world, text = made(tmp_path, "config: {}\n")
    assert str(world.proxmox.node.address) == "192.168.1.11/24"
    assert "proxmox/endpoint: is left open" in text


def test_names_that_yaml_takes_for_something_else_stay_names(tmp_path: Path) -> None:
    world, _ = made(
        tmp_path,
        "config: {berth:hosts: {a: {container: {node: 'no', bridge: 'on', "
        "address: 10.0.0.2/24}}, 'yes': {existing: {address: 10.0.0.8, user: 'null'}}}}\n",
    )
    assert (world.proxmox.node.name, world.proxmox.node.bridge) == ("no", "on")
    assert world.hosts["yes"].users == ("root", "null")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("config: [", "is no YAML: "),
        ("", "has no mapping `config`, so it is no stack file; "),
        ("[1]", "has no mapping `config`, so it is no stack file; "),
        ("config: 1", "has no mapping `config`, so it is no stack file; "),
    ],
)
def test_what_is_no_stack_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    stack = tmp_path / "Pulumi.x.yaml"
    stack.write_text(text)
    with pytest.raises(LabError) as caught:
        world_from_stack(stack)
    assert str(caught.value).startswith(f"{stack}: {problem}")


def test_a_stack_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot be read"):
        world_from_stack(tmp_path / "Pulumi.none.yaml")


STACKS = [REPO / "Pulumi.prod.yaml", *sorted((REPO / "examples").glob("Pulumi.*.yaml"))]


@pytest.mark.parametrize("stack", STACKS, ids=lambda path: path.name)
def test_every_stack_of_the_project_has_a_world(tmp_path: Path, stack: Path) -> None:
    world, _ = made(tmp_path, stack.read_text(encoding="utf-8"))
    hosts = yaml.safe_load(stack.read_text(encoding="utf-8"))["config"]["berth:hosts"]
    for name, host in hosts.items():
        if "container" in host:
            routers = [r for b in world.proxmox.bridges.values() for r in b.routers]
            assert host["container"]["gateway"] in {str(r.ip) for r in routers}
        else:
            node = {"node": world.proxmox.node.address.ip}
            there = {**{n: h.address.ip for n, h in world.hosts.items()}, **node}
            assert host["existing"]["address"] in {str(there.get(name)), str(there["node"])}


_junk: st.SearchStrategy[Any] = st.sampled_from([None, True, 0, -7, "", "text", [1], {}, 1.5])
_address = st.sampled_from(
    ["10.0.0.2/24", "10.0.0.1/30", "10.0.0.2/30", "10.0.0.3/31", "10.0.0.4/32", "::1/64", "x"]
)
_gateway = st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.255", "192.168.9.1", "no"])
_name = st.sampled_from(["a", "web-1", "on", "Große", "", "a" * 80, "x y", "1"])


def _fields(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={k: v | _junk for k, v in known.items()})


_container = _fields(
    node=_name, address=_address, gateway=_gateway, bridge=_name, vlan=st.integers(-1, 5000),
    cores=st.integers(-1, 99), memory_mb=st.integers(0, 10**6), disk_gb=st.integers(0, 10**5),
    storage=_name, pool=_name,
    template=_fields(volume=st.sampled_from(["local:vztmpl/debian-13.tar.zst", "a", "b:c"])),
)  # fmt: skip
_existing = _fields(
    address=st.sampled_from(
        ["10.0.0.2", "10.0.0.9", "10.0.0.255", "172.16.0.0", "fd00::1", "host.example"]
    ),
    port=st.integers(-1, 70000),
    user=_name,
    host_key=st.just("ssh-ed25519 AAAA"),
)
_host = _fields(container=_container, existing=_existing)
_config = _fields(
    **{
        "berth:proxmox": _fields(
            endpoint=st.sampled_from(
                ["https://10.0.0.2:8006", "https://[::1]:8006/", "https://a.b/", "http://127.0.0.1",
                 "https://1.2.3.4:99999", "https://172.16.0.1", "https://10.0.0.0", "", "%"]
            ),
            api_token=_name,
            username=st.sampled_from(["root@pam", "me@ad", "berth@pve", "you@pve", "nobody"]),
        ),
        "berth:hosts": st.dictionaries(_name, _host | _junk, max_size=4),
        "berth:cloudflare": _fields(account=_name, zone=_name, api_token=_name),
        "berth:tailnet": _fields(
            name=_name,
            api_key=_name,
            keys=st.dictionaries(
                _name,
                _fields(tags=st.lists(st.sampled_from(["tag:a", "tag:", "a", 1]), max_size=3)),
                max_size=2,
            ),
        ),
        "berth:secrets": st.dictionaries(_name, _junk, max_size=2),
    }
)  # fmt: skip


@pytest.fixture(scope="session")
def one_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


@settings(max_examples=40, deadline=None)
@given(config=_config.filter(lambda c: isinstance(c, dict)))
def test_whatever_a_stack_says_the_world_made_for_it_can_be_loaded(
    one_directory: Path, config: dict[str, Any]
) -> None:
    made(one_directory, yaml.safe_dump({"config": config}, allow_unicode=True))
