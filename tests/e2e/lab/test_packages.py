"""Unchanged apt-get, pip and uv work in a container, as long as the way to packages is open."""

import pytest

from tests.labs import TestLab

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

STRANGER = """python3 -c '
import urllib.request as u, urllib.error
try: u.urlopen(u.Request("http://192.168.1.1/", headers={"Host": "example.org"}))
except urllib.error.HTTPError as e: print(e.code, e.read().decode())
'"""


@pytest.mark.usefixtures("trio")
def test_pip_and_uv_install_in_a_container_as_anywhere(lab: TestLab) -> None:
    apt = "DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends"
    lab.ssh("late", f"apt-get update -qq && {apt} python3-venv >/dev/null && python3 -m venv /v")
    lab.ssh("late", "/v/bin/pip install -q --no-cache-dir uv")
    lab.ssh("late", "/v/bin/uv pip install --no-cache --python /v six==1.17.0")
    assert (
        lab.ssh("late", "/v/bin/python -c 'import six; print(six.__version__)'").text == "1.17.0\n"
    )


@pytest.mark.usefixtures("trio")
def test_packages_are_installed_as_anywhere_and_fetched_from_outside_once(lab: TestLab) -> None:
    lab.ssh("late", "apt-get update -qq && apt-get download hello")
    kept = lab.status()["packages_from_cache"]
    lab.ssh("late", "rm hello_*.deb && apt-get download hello && dpkg --info hello_*.deb")
    assert lab.status()["packages_from_cache"] > kept

    stranger = lab.ssh("late", STRANGER).text
    assert stranger.startswith("403 ")
    assert "example.org" in stranger
    assert lab.ssh("late", "getent hosts example.org", check=False).code != 0

    lab.cli("packages", "off")
    cut = lab.ssh(
        "late", "rm hello_*.deb; apt-get -o Acquire::Retries=0 download hello", check=False
    )
    assert cut.code != 0
    assert lab.status()["packages"] is False
    lab.cli("packages", "on")
    lab.ssh("late", "apt-get download hello")
