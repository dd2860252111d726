"""Every wrong stack file gets one clear error before anything happens: the exact texts."""

from pathlib import Path

import pulumi
import pytest
import yaml

from tests.unit.infra.recording import (
    PUBLIC_KEY,
    container,
    errors_of,
    settings_of,
    stack,
)


def chat(**changes: object) -> dict[str, object]:
    return stack({"chat": container(**changes)})


def test_a_sound_stack_file_has_secure_defaults() -> None:
    container_ = settings_of(stack()).containers["chat"]
    assert container_.unprivileged
    assert container_.nesting
    assert container_.onboot
    settings = settings_of(stack())
    assert settings.proxmox is not None
    assert settings.proxmox.insecure is False
    assert settings.ssh.public_keys == (PUBLIC_KEY,)
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"memroy_mb": 2}, "/memroy_mb: unknown key; did you mean memory_mb?"),
        ({"vm_id": 7}, "/vm_id: must be at least 100, got 7; Proxmox reserves 1-99"),
        ({"vm_id": "111"}, '/vm_id: must be a whole number, got "111"; take the quotes away'),
        ({"vm_id": None}, "/vm_id: missing; give its id, 100 or more, free on the whole cluster"),
        ({"memory_mb": 2048.5}, "/memory_mb: must be a whole number, got 2048.5"),
        ({"onboot": "true"}, '/onboot: must be true or false, got "true"; take the quotes away'),
        ({"onboot": 1}, "/onboot: must be true or false, got 1"),
        ({"tags": "web"}, '/tags: must be a list, got "web"; write [web]'),
        ({"tags": ["Web"]}, '/tags/0: must be a tag of a-z, 0-9, _, +, . and -, got "Web"'),
        (
            {"tags": ["berth+x"]},
            ("/tags/0: must not begin with berth+, since such tags say which stack a container "
            'is of, got "berth+x"'),
        ),
        (
            {"address": "192.168.1.111"},
            ("/address: must be an IPv4 address with its prefix length, such as "
            '"192.168.1.111/24", got "192.168.1.111"'),
        ),
        (
            {"address": "192.168.1.300/24"},
            ("/address: must be an IPv4 address with its prefix length, such as "
            '"192.168.1.111/24", got "192.168.1.300/24"'),
        ),
        (
            {"address": "192.168.1.0/24"},
            ("/address: must be the address of a host, not of the subnet 192.168.1.0/24 itself, "
            'got "192.168.1.0/24"'),
        ),
        (
            {"address": "192.168.1.255/24"},
            ("/address: must be the address of a host, not the broadcast one of 192.168.1.0/24, "
            'got "192.168.1.255/24"'),
        ),
        (
            {"address": "192.168.1.111/255.255.255.0"},
            ("/address: must be an IPv4 address with its prefix length, such as "
            '"192.168.1.111/24", got "192.168.1.111/255.255.255.0"'),
        ),
        (
            {"address": "192.168.1.111/0"},
            ("/address: must have a prefix length of 8 to 32, since Proxmox takes no other, "
            'got "192.168.1.111/0"'),
        ),
        (
            {"address": "127.0.0.2/8", "gateway": "127.0.0.1"},
            '/address: must be the address of one host on a network, got "127.0.0.2/8"',
        ),
        (
            {"address": "0.0.0.5/8", "gateway": "0.0.0.1"},
            '/address: must be the address of one host on a network, got "0.0.0.5/8"',
        ),
        (
            {"gateway": "192.168.1.255"},
            ("/gateway: must be the router's address, got 192.168.1.255, the first or last "
            "address of 192.168.1.0/24, which no host can have"),
        ),
        ({"gateway": None}, "/gateway: missing; give the router of that subnet"),
        (
            {"gateway": "192.168.2.1"},
            "/gateway: must be in the subnet of the address, 192.168.1.0/24, got 192.168.2.1",
        ),
        (
            {"gateway": "192.168.1.111"},
            "/gateway: must be the router's address, got the host's own, 192.168.1.111",
        ),
        (
            {"hostname": "chat_1"},
            ("/hostname: must be a DNS name: labels of A-Z, a-z, 0-9 and -, joined with dots, "
            'got "chat_1"'),
        ),
        (
            {"hostname": "192.168.1.5"},
            '/hostname: must be a DNS name, whose last part is never all digits, got "192.168.1.5"',
        ),
        (
            {"hostname": "chat." + "a" * 60},
            ("/hostname: must have at most 64 characters, since Linux takes no more, got "
            f'"chat.{"a" * 51}...'),
        ),
        (
            {"template": {"volume": "local:vztmpl/debian-13.tar.zst", "checksum": "0" * 64}},
            "/template/checksum: is for a download; give a url, or take it out",
        ),
        (
            {"template": {"url": "https://me:hunter2@example.org/debian-13.tar.zst",
                          "checksum": "0" * 64}},
            "/template/url: must not hold a user or password",
        ),
        (
            {"template": {"url": "https://example.org:99999/debian-13.tar.zst",
                          "checksum": "0" * 64}},
            ("/template/url: must be an http or https address, "
            'got "https://example.org:99999/debian-13.tar.zst"'),
        ),
        ({"vlan": 5000}, "/vlan: must be at most 4094, got 5000"),
        (
            {"template": {}},
            "/template: must have either volume (on the node) or url; has neither",
        ),
        (
            {"template": {"url": "https://example.org/debian-13.tar.zst"}},
            ("/template/checksum: missing; a download needs the checksum that its publisher states, "
            "since a changed file must never be taken for the same"),
        ),
        (
            {"template": {"url": "https://example.org/debian-13.tar.zst", "checksum": "0" * 40}},
            "/template/checksum: must have 64 hex digits for sha256, got 40",
        ),
        (
            {"template": {"url": "https://example.org/latest", "checksum": "0" * 64,
                          "system": "debian"}},
            ("/template/file_name: missing; the url does not end in a file name with .tar, "
            ".tar.gz, .tar.xz, .tar.zst, .tar.bz2"),
        ),
        (
            {"template": {"volume": "local:vztmpl/mine.tar.zst"}},
            ("/template/system: missing; the file name does not begin with one of debian, ubuntu, "
            "alpine, fedora, centos, archlinux, opensuse: say which"),
        ),
        (
            {"root_password": "chat-root"},
            ("/root_password: chat-root is no entry of berth:secrets; add it: "
            "pulumi config set --secret --path 'berth:secrets.chat-root'"),
        ),
        (
            {"unprivileged": False},
            ("/nesting: Proxmox lets nobody but root@pam with a password set features of a "
            "privileged container; set nesting: false, or unprivileged: true, or log in as "
            "root@pam"),
        ),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_remedy(changes: dict[str, object], problem: str) -> None:
    assert errors_of(chat(**changes)) == [f"hosts/chat/container{problem}"]


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ({"vm_id": 111}, "vm_id: 111 is that of chat already; take another id"),
        (
            {"address": "192.168.1.111/24"},
            "address: 192.168.1.111 is that of chat already; take another address",
        ),
        ({"hostname": "Chat"}, "hostname: chat is that of chat already; take another hostname"),
        (
            {"was": "chat"},
            "was: must be a name that is no longer used, got chat, which is one of hosts",
        ),
    ],
)
def test_two_hosts_that_clash_are_refused(second: dict[str, object], problem: str) -> None:
    web = container(**({"vm_id": 112, "address": "192.168.1.112/24"} | second))
    hosts = {"chat": container(), "web": web}
    assert errors_of(stack(hosts)) == [f"hosts/web/container/{problem}"]


def test_all_errors_of_a_file_are_told_at_once() -> None:
    hosts = {
        "chat": container(vm_id=7, gateway="10.0.0.1"),
        "web": container(memory_mb="many", hostname="chat"),
        "Web": {"existing": {"address": "192.168.1.300"}},
        "none": {},
    }
    assert errors_of(stack(hosts, id=None, extra=1, replace=["gone"])) == [
        "extra: unknown key; known here: cloudflare, hosts, id, proxmox, remove, replace, secrets, services, ssh, tailnet",
        (
            "hosts/Web: must be a name of up to 40 characters of a-z, 0-9 and -, "
            'with a letter first and no - at the end, got "Web"'
        ),
        (
            "hosts/Web/existing/address: must be an IPv4 address without a prefix, such as "
            '"192.168.1.20", or a DNS name, got "192.168.1.300"'
        ),
        (
            "hosts/chat/container/gateway: must be in the subnet of the address, 192.168.1.0/24, "
            "got 10.0.0.1"
        ),
        "hosts/chat/container/vm_id: must be at least 100, got 7; Proxmox reserves 1-99",
        (
            "hosts/none: must have either container (to be made) or existing (there already); "
            "has neither"
        ),
        "hosts/web/container/address: 192.168.1.111 is that of chat already; take another address",
        "hosts/web/container/hostname: chat is that of chat already; take another hostname",
        'hosts/web/container/memory_mb: must be a whole number, got "many"',
        'id: missing; add this line below "config:" in the stack file: berth:id: fresh123',
        "replace/0: must be a container of hosts, got gone",
    ]


def test_an_empty_file_says_what_is_missing() -> None:
    assert errors_of({}) == [
        "hosts: missing; give the hosts of this stack, by name",
        'id: missing; add this line below "config:" in the stack file: berth:id: fresh123',
        (
            "ssh/private_key: missing; name an entry of berth:secrets that holds the key "
            "(ssh-keygen -t ed25519 -N '' -f KEYFILE; pulumi config set --secret --path "
            "'berth:secrets.ssh-key' < KEYFILE), or set BERTH_SSH_PRIVATE_KEY_FILE"
        ),
    ]


def test_the_error_says_that_nothing_was_changed_and_has_no_traceback() -> None:
    with pytest.raises(pulumi.RunError) as caught:
        settings_of(chat(vm_id=7))
    assert str(caught.value) == (
        "the settings of stack prod have 1 problem, and nothing was changed:\n"
        "  hosts/chat/container/vm_id: must be at least 100, got 7; Proxmox reserves 1-99"
    )


def test_a_fresh_id_is_one_that_the_settings_take() -> None:
    from infra.settings.identity import new_stack_id

    ids = {new_stack_id() for _ in range(20)}
    assert len(ids) == 20
    assert all(settings_of(stack(id=one)).id == one for one in ids)


def test_keys_that_nobody_reads_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text(f"{yaml.safe_dump({'config': stack()})}berth:services:\n  chat: {{}}\n")
    assert errors_of(stack(), {"PULUMI_OPTION_CONFIG_FILE": str(file)}) == [
        'berth:services: stands outside "config:", where nobody reads it; indent it, below "config:"'
    ]
    assert errors_of(stack() | {"Bert:remove": ["chat"]}) == [
        "Bert:remove: unknown key; did you mean berth:remove?"
    ]


def test_machines_behind_one_address_are_told_apart_by_their_ports() -> None:
    def there(port: int) -> dict[str, object]:
        return {"existing": {"address": "192.168.1.20", "port": port, "host_key": PUBLIC_KEY}}

    assert len(settings_of(stack({"one": there(22), "two": there(2222)})).existing) == 2
    assert errors_of(stack({"one": there(22), "two": there(22)})) == [
        "hosts/two/existing/address: 192.168.1.20 is that of one already; take another address"
    ]
