"""A plugin's process and an SSH server, shared by a module's tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.doubles.command.plugin import plugin_command
from tests.unit.doubles.provider_client import Plugin
from tests.unit.doubles.ssh_server import SshServer


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    server = SshServer(tmp_path_factory.mktemp("home"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def running() -> Iterator[Plugin]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        plugin = Plugin(plugin_command(Path(sys.executable)))
    yield plugin
    assert plugin.end() == ""


@pytest.fixture
def plugin(running: Plugin) -> Plugin:
    running.engine.logs.clear()
    return running
