"""The gateway serves what this machine's own clients are set to use, and says what it cannot.

apt-get, go and npm are doubles here: scripts that print what the real ones print. pip is real.
"""

from pathlib import Path

import pytest

from lab.packages.sources import PackageHosts, find_package_hosts


class Machine:
    """A machine with clients that answer as they are told."""

    def __init__(self, home: Path) -> None:
        self._programs = home / "bin"
        self._programs.mkdir(parents=True)
        self.environment = {
            "PATH": str(self._programs),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "PIP_CONFIG_FILE": str(home / "pip.conf"),
        }
        self.pip = home / "pip.conf"
        self.pip.write_text("[global]\n")
        self.uv = home / "config" / "uv" / "uv.toml"
        self.uv.parent.mkdir(parents=True)

    def client(self, name: str, prints: str) -> None:
        script = self._programs / name
        script.write_text(f"#!/bin/sh\nprintf '%s\\n' '{prints}'\n")
        script.chmod(0o755)

    async def hosts(self) -> PackageHosts:
        return await find_package_hosts(self.environment)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "home")


async def test_every_source_of_apt_is_served(machine: Machine) -> None:
    machine.client(
        "apt-get",
        "http://deb.one.example/debian\nhttps://Deb.Two.example/x\nfile:/media\n"
        "https://user:secret@deb.three.example/",
    )
    hosts = await machine.hosts()
    assert {h for h in hosts.kept if h.startswith("deb.")} == {
        "deb.one.example",
        "deb.two.example",
        "deb.three.example",
    }


async def test_the_mirrors_of_a_mirror_list_are_served(machine: Machine, tmp_path: Path) -> None:
    mirrors = tmp_path / "mirrors.list"
    mirrors.write_text(
        "# mine\nhttp://near.example/debian\tpriority:1\nhttp://far.example/debian\n"
    )
    machine.client("apt-get", f"mirror+file:{mirrors}")
    assert {"near.example", "far.example"} <= (await machine.hosts()).kept


async def test_the_default_index_brings_the_host_of_its_files(machine: Machine) -> None:
    hosts = await machine.hosts()
    assert len(hosts.kept) == 2
    assert hosts.guest_settings == {}


async def test_an_own_index_takes_the_place_of_the_default_one(machine: Machine) -> None:
    default = (await machine.hosts()).kept
    machine.pip.write_text(
        "[global]\nindex-url = https://me:word@index.example/simple\n"
        "extra-index-url = https://more.example/simple\n    https://again.example/simple\n"
    )
    hosts = await machine.hosts()
    assert hosts.kept == {"index.example", "more.example", "again.example"}
    assert not hosts.kept & default
    assert hosts.guest_settings == {
        "PIP_INDEX_URL": "https://index.example/simple",
        "UV_DEFAULT_INDEX": "https://index.example/simple",
    }


async def test_settings_in_the_environment_count(machine: Machine) -> None:
    machine.environment |= {
        "PIP_INDEX_URL": "https://env.example/simple",
        "UV_INDEX": "mine=https://uv.example/simple https://other.example/?a=b",
        "GOPROXY": "https://go.example|direct",
    }
    hosts = await machine.hosts()
    assert hosts.kept == {"env.example", "uv.example", "other.example"}
    assert hosts.passed == {"go.example"}


async def test_settings_of_uv_count(machine: Machine) -> None:
    machine.uv.write_text(
        '[[index]]\nurl = "https://first.example/simple"\ndefault = true\n'
        '[[index]]\nname = "two"\nurl = "https://second.example/simple"\n'
        '[pip]\nextra-index-url = ["https://third.example/simple"]\n'
    )
    assert (await machine.hosts()).kept == {"first.example", "second.example", "third.example"}


async def test_go_and_npm_are_passed_on_unread(machine: Machine) -> None:
    machine.client("go", "https://go.example,https://spare.example,direct")
    machine.client("npm", "https://npm.example/")
    hosts = await machine.hosts()
    assert hosts.passed == {"go.example", "spare.example", "npm.example"}
    assert hosts.all == hosts.kept | hosts.passed


async def test_what_guests_cannot_reach_is_said_without_its_login(machine: Machine) -> None:
    machine.client(
        "apt-get",
        "http://mirror.example:3142/debian\nhttp://10.0.0.1/debian\nhttp://u:secret@localhost/d",
    )
    assert (await machine.hosts()).left_out == (
        "http://mirror.example:3142/debian: guests reach ports 80 and 443 only",
        "http://10.0.0.1/debian: guests reach hosts with a name of their own only",
        "http://localhost/d: guests reach hosts with a name of their own only",
    )


async def test_a_client_that_fails_has_no_hosts(machine: Machine) -> None:
    machine.client("npm", "https://npm.example/")
    with (Path(machine.environment["PATH"]) / "npm").open("a") as script:
        script.write("exit 1\n")
    assert (await machine.hosts()).passed == frozenset()
