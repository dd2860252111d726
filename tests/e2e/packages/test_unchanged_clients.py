"""Unchanged apt-get, pip and uv work where no route leads out; nothing else does."""

from pathlib import Path

import pytest

from tests.e2e.packages.conftest import ROUTER, Bare, Way

pytestmark = pytest.mark.root

WHEEL = "six==1.17.0"


async def test_apt_get_works_and_its_second_guest_is_served_from_the_cache(
    bare: Bare, way: Way, apt: list[str]
) -> None:
    updated = await bare.run(*apt, "update")
    assert updated.returncode == 0, updated.stdout
    first = await bare.run(*apt, "download", "hello")
    assert first.returncode == 0, first.stdout
    (package,) = bare.directory.glob("hello_*.deb")
    content = package.read_bytes()
    package.unlink()
    fetched = way.gateway.counters.fetched
    again = await bare.run(*apt, "download", "hello")
    assert again.returncode == 0, again.stdout
    assert package.read_bytes() == content
    assert way.gateway.counters.fetched == fetched
    assert way.gateway.counters.from_cache > 0


async def test_pip_works_and_its_second_guest_is_served_from_the_cache(
    bare: Bare, way: Way, pip: list[str], tmp_path: Path
) -> None:
    for guest in ("first", "second"):
        got = await bare.run(*pip, "download", "--no-deps", "--dest", str(tmp_path / guest), WHEEL)
        assert got.returncode == 0, got.stdout
    (first,), (second,) = ((tmp_path / g).iterdir() for g in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    assert way.gateway.counters.from_cache >= 1


async def test_uv_works_and_its_second_guest_is_served_from_the_cache(
    bare: Bare, way: Way, uv: list[str], tmp_path: Path
) -> None:
    for guest in ("first", "second"):
        target = tmp_path / guest
        got = await bare.run(*uv, "pip", "install", "--no-deps", "--target", str(target), WHEEL)
        assert got.returncode == 0, got.stdout
        assert (target / "six.py").is_file()
    assert way.gateway.counters.from_cache >= 1


async def test_cut_off_nothing_is_installed(
    bare: Bare, way: Way, pip: list[str], tmp_path: Path
) -> None:
    way.gateway.enabled = False
    got = await bare.run(
        *pip, "--retries", "0", "download", "--no-deps", "--dest", str(tmp_path / "x"), WHEEL
    )
    assert got.returncode != 0
    assert "No matching distribution" in got.stdout
    assert way.gateway.counters.fetched == 0


async def test_another_name_does_not_exist_and_another_host_is_refused(
    bare: Bare, way: Way
) -> None:
    looked_up = await bare.run("getent", "hosts", "example.org")
    assert (looked_up.returncode, looked_up.stdout) == (2, "")
    by_hand = await bare.run("curl", "-s", "-H", "Host: example.org", f"http://{ROUTER}/")
    assert by_hand.stdout.startswith("example.org: this lab's gateway fetches only from the hosts")
    assert way.gateway.counters.refused == 1


async def test_there_is_no_route_out(bare: Bare, way: Way) -> None:
    routes = await bare.run("ip", "route", "get", "192.0.2.1")
    assert "unreachable" in routes.stdout
