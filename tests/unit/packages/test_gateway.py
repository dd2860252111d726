"""Guests get packages through the gateway, and nothing else."""

import asyncio
import contextlib
import logging

import aiohttp
import pytest

from tests.unit.packages.conftest import KEPT, PASSED, Lab, Page, until

DEB = f"http://{KEPT}/debian/pool/main/h/hello/hello_2.10-3_amd64.deb"
WHEEL = f"https://{KEPT}/packages/ab/cd/{'e' * 60}/six-1.0-py3-none-any.whl"
RELEASE = f"http://{KEPT}/debian/dists/trixie/InRelease"


@pytest.mark.parametrize("url", [DEB, WHEEL])
async def test_a_file_that_never_changes_is_fetched_once(lab: Lab, url: str) -> None:
    lab.outside.pages[url] = Page(b"package" * 100_000)
    for _ in range(3):
        assert await lab.get(url) == (200, b"package" * 100_000)
    assert [asked[:2] for asked in lab.outside.asked] == [("GET", url)]
    assert (lab.gateway.counters.fetched, lab.gateway.counters.from_cache) == (1, 2)


async def test_an_index_is_fetched_each_time(lab: Lab) -> None:
    for text in (b"old", b"new"):
        lab.outside.pages[RELEASE] = Page(text)
        assert await lab.get(RELEASE) == (200, text)


async def test_what_its_server_calls_immutable_is_kept(lab: Lab) -> None:
    url = f"https://{KEPT}/any/name.whl"
    lab.outside.pages[url] = Page(b"wheel", {"cache-control": "max-age=9, immutable, public"})
    await lab.get(url)
    del lab.outside.pages[url]
    assert await lab.get(url) == (200, b"wheel")


async def test_a_file_that_broke_off_is_not_kept_and_not_taken_for_whole(lab: Lab) -> None:
    lab.outside.pages[DEB] = Page(b"x" * 100_000, cut_at=50_000)
    with pytest.raises(aiohttp.ClientError):
        await lab.get(DEB)
    lab.outside.pages[DEB] = Page(b"x" * 100_000)
    assert await lab.get(DEB) == (200, b"x" * 100_000)


async def test_a_refusal_of_the_server_is_not_kept(lab: Lab) -> None:
    assert (await lab.get(DEB))[0] == 404
    lab.outside.pages[DEB] = Page(b"there now")
    assert await lab.get(DEB) == (200, b"there now")


async def test_a_part_of_a_file_is_never_kept_as_the_whole(lab: Lab) -> None:
    lab.outside.pages[DEB] = Page(b"part", {"content-range": "bytes 0-3/9"}, "206 Partial Content")
    assert await lab.get(DEB, headers={"Range": "bytes=0-3"}) == (206, b"part")
    assert lab.outside.asked[0][2]["range"] == "bytes=0-3"
    lab.outside.pages[DEB] = Page(b"the whole")
    assert await lab.get(DEB) == (200, b"the whole")
    assert await lab.get(DEB, headers={"Range": "bytes=4-"}) == (206, b"whole")


async def test_a_conditional_request_reaches_the_server(lab: Lab) -> None:
    since = "Sat, 01 Nov 2025 00:00:00 GMT"
    lab.outside.pages[RELEASE] = Page(b"", {"etag": '"a"'}, "304 Not Modified")
    assert (await lab.get(RELEASE, headers={"If-Modified-Since": since}))[0] == 304
    assert lab.outside.asked[0][2]["if-modified-since"] == since.lower()


async def test_a_compressed_answer_reaches_the_guest_as_it_came(lab: Lab) -> None:
    url = f"https://{KEPT}/simple/six/"
    lab.outside.pages[url] = Page(b"\x1f\x8bnot really", {"content-encoding": "gzip"})
    assert await lab.get(url) == (200, b"\x1f\x8bnot really")


async def test_odd_characters_of_a_name_reach_the_server_unchanged(lab: Lab) -> None:
    url = f"http://{KEPT}/debian/pool/main/g/g++/g%2b%2b_1%3a4~rc1+b2_amd64.deb?x=%41+b"
    lab.outside.pages[url] = Page(b"deb")
    assert await lab.get_raw(url) == b"deb"


async def test_a_redirect_is_the_guests_to_follow(lab: Lab) -> None:
    lab.outside.pages[RELEASE] = Page(b"", {"location": "http://evil.example/"}, "302 Found")
    assert (await lab.get(RELEASE, allow_redirects=False))[0] == 302
    assert len(lab.outside.asked) == 1


@pytest.mark.parametrize(
    "host", ["evil.example", "169.254.169.254", "localhost", "[::1]", f"{PASSED}.x", f"x.{KEPT}"]
)
async def test_any_other_host_is_refused_in_words(lab: Lab, host: str) -> None:
    answer = await lab.send(80, f"GET /debian/x.deb HTTP/1.1\r\nHost: {host}\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 ")
    assert body.decode() == (
        f"{host}: this lab's gateway fetches only from the hosts that this machine's own package "
        "clients are configured to use\n"
    )
    assert lab.outside.asked == []


async def test_a_path_cannot_name_another_host(lab: Lab) -> None:
    await lab.get_raw(f"http://{KEPT}//evil.example/pool/x.deb")
    assert lab.outside.asked[0][1] == f"http://{KEPT}//evil.example/pool/x.deb"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_nothing_can_be_sent_out(lab: Lab, method: str) -> None:
    assert (await lab.get(DEB, method=method))[0] == 405
    assert lab.outside.asked == []


async def test_tls_for_another_host_is_refused(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(aiohttp.ClientConnectorError, match=r"(?i)access.denied"):
        await lab.get("https://evil.example/")
    assert "evil.example:443 is no package host of this machine" in caplog.text
    assert lab.outside.connected == []


async def test_tls_of_other_package_hosts_is_passed_on_unread(lab: Lab) -> None:
    lab.outside.pages[f"https://{PASSED}/mod"] = Page(b"module")
    answer = await lab.get(f"https://{PASSED}/mod", trusted=lab.outside_authority)
    assert answer == (200, b"module")
    assert lab.outside.connected == [f"{PASSED}:443"]
    assert lab.gateway.counters.passed_through == 1


async def test_a_host_behind_a_certificate_that_nobody_trusts_is_not_used(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(lab.authority.ca_certificate))
    lab.outside.pages[WHEEL] = Page(b"forged")
    status, body = await lab.get(WHEEL)
    assert status == 502
    assert b"forged" not in body


async def test_a_host_that_is_away_is_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    status, body = await lab.get(RELEASE)
    assert (status, body.startswith(f"{KEPT}: could not be reached".encode())) == (502, True)


async def test_switched_off_it_breaks_what_runs_and_takes_nothing_new(lab: Lab) -> None:
    begun = f"GET {RELEASE} HTTP/1.1\r\nHost: {KEPT}\r\n"
    waiting = asyncio.create_task(lab.send(80, begun))
    await until(lambda: lab.gateway.open_connections > 0)
    lab.gateway.enabled = False
    with pytest.raises(ConnectionResetError):
        await waiting
    for url in (RELEASE, WHEEL):
        with pytest.raises(aiohttp.ClientError):
            await lab.get(url)
    assert lab.outside.asked == []


async def test_switched_on_again_it_works(lab: Lab) -> None:
    lab.outside.pages[RELEASE] = Page(b"index")
    lab.gateway.enabled = False
    lab.gateway.enabled = True
    assert await lab.get(RELEASE) == (200, b"index")


async def test_noise_on_the_tls_port_ends_the_connection(lab: Lab) -> None:
    with contextlib.suppress(ConnectionResetError):
        assert await lab.send(443, "GET / HTTP/1.1\r\n\r\n") == b""
    assert lab.outside.connected == []


async def test_requests_sent_without_waiting_are_answered_in_order(lab: Lab) -> None:
    bodies = [f"body {n}".encode() for n in range(10)]
    for number, body in enumerate(bodies):
        lab.outside.pages[f"http://{KEPT}/{number}"] = Page(body)
    requests = [f"GET /{n} HTTP/1.1\r\nHost: {KEPT}\r\n" for n in range(10)]
    everything = await lab.send(80, "\r\n".join(requests) + "Connection: close\r\n\r\n")
    assert [p.split(b"\r\n\r\n")[1] for p in everything.split(b"HTTP/1.1 200 OK")[1:]] == bodies
