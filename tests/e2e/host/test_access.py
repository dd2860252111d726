"""Who may log in to a container, and who may not."""

import ctypes
import socket
from pathlib import Path

import asyncssh
import pytest

from lab.host.commands import run
from lab.host.enter import namespace_file
from lab.host.namespaces import run_in_network
from tests.e2e.host.real import Host

pytestmark = pytest.mark.root


async def test_another_key_does_not_log_in(host: Host, tmp_path: Path) -> None:
    spec = await host.running()
    other = tmp_path / "other"
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)])
    assert "Permission denied" in host.ssh("192.168.1.111", "true", key=other).stderr
    assert host.answer(spec, "id -un") == "root"


async def test_root_is_refused_with_its_right_password(host: Host) -> None:
    spec = await host.running()
    stored = host.answer(spec, "getent shadow root").split(":")[1]
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    assert crypt(b"correct horse", stored.encode()) == stored.encode()
    connection = run_in_network(
        namespace_file(host.paths), lambda: socket.create_connection(("192.168.1.111", 22), 5)
    )
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            "192.168.1.111",
            sock=connection,
            username="root",
            password="correct horse",
            client_keys=None,
            agent_path=None,
            known_hosts=None,
            config=None,
        )
