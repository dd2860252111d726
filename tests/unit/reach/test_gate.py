"""The gate at the end of `up`: what is broken on the way is told apart, with what to do."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.gate import Public, gate, public_of
from infra.reach import http
from infra.reach.answer import Answer, Trouble
from infra.reach.origin import Asked, examine
from infra.settings.service import Health
from infra.settings.ways import Origin
from infra.settings.ways_result import RouteSettings
from tests.unit.infra.certificates import new_pair

HEALTH = Health(path="/healthz", answer={"status": "healthy"})
GOOD = Answer(status=200, body=b'{"status": "healthy", "more": 1}')


def route(**changes: Any) -> RouteSettings:
    values: dict[str, Any] = {
        "service": "chat",
        "hostname": "chat.jackshome.com",
        "path": None,
        "fallback": False,
        "url": "https://192.168.1.111:8000",
        "origin": Origin(),
        "health": HEALTH,
        "settings_path": "services/chat/routes/0",
    }
    return RouteSettings(**{**values, **changes})


async def said(
    answer: Answer,
    *,
    origin: Trouble | None = None,
    connections: int | None = 0,
    public: Public | None = None,
) -> str:
    async def ask(_public: Public) -> Answer:
        return answer

    async def ask_origin(_asked: Asked) -> Trouble | None:
        return origin

    async def count() -> int | None:
        return connections

    failures = await gate(
        [public or public_of(route(), "pve", "cloudflared")], ask, ask_origin, count, limit_s=0
    )
    return "; ".join(str(failure) for failure in failures)


@pytest.mark.parametrize(
    ("answer", "part", "remedy"),
    [
        (Answer("dns", "Name or service not known"), "dns", "dig @1.1.1.1 chat.jackshome.com"),
        (Answer("connect", "Connection refused"), "edge", "does the name lead to Cloudflare"),
        (Answer("tls", "Hostname mismatch"), "edge", "advanced certificate"),
        (Answer(status=530, body=b"error code: 1033"), "tunnel", "journalctl -u cloudflared"),
        (Answer(status=530, body=b"error code: 1016"), "dns", "pulumi refresh"),
        (Answer(status=404), "tunnel", "pulumi refresh"),
        (Answer(status=502, body=b"Bad gateway"), "origin", "pve cannot reach it"),
        (Answer(status=522), "dns", "does not lead to the tunnel"),
        (Answer(status=500, body=b"oh no"), "health", "answers /healthz with 500"),
        (Answer(status=200, body=b"<html>"), "health", "is no JSON: <html>"),
        (Answer(status=200, body=b'{"status": "ill"}'), "health", 'is not {"status": "healthy"}'),
    ],
)
async def test_each_part_of_the_way_is_told_apart_and_says_what_to_do(
    answer: Answer, part: str, remedy: str
) -> None:
    text = await said(answer)
    assert text.startswith(f"https://chat.jackshome.com/healthz: {part}: ")
    assert remedy in text


async def test_the_right_answer_passes() -> None:
    assert await said(GOOD) == ""


async def test_what_the_origin_says_itself_is_nearer_than_502() -> None:
    trouble = Trouble("origin certificate", "has expired")
    text = await said(Answer(status=502), origin=trouble)
    assert text == "https://chat.jackshome.com/healthz: origin certificate: has expired"


@pytest.mark.parametrize(
    "answer", [Answer(status=530, body=b"error code: 1033"), Answer(status=502)]
)
async def test_nobody_is_sent_to_the_journal_of_another_unit(answer: Answer) -> None:
    renamed = public_of(route(), "pve", "cloudflared-b2")
    text = await said(answer, public=renamed, connections=4)
    assert text.endswith("See what cloudflared says: on pve, journalctl -u cloudflared-b2 -n 50")
    assert not re.search(r"[?.;,:][.;,]", text)


async def test_a_file_of_cas_that_the_connector_lacks_is_thought_of() -> None:
    public = public_of(route(origin=Origin(ca_file="/etc/ca-typo.pem")), "pve", "cloudflared")
    text = await said(Answer(status=502), public=public)
    assert "or does not trust it (origin/ca_file is a file of pve: /etc/ca-typo.pem)" in text


async def test_a_slow_start_is_waited_for() -> None:
    answers = [Answer(status=530, body=b"1033"), Answer(status=502), GOOD]

    async def ask(_public: Public) -> Answer:
        return answers.pop(0)

    async def nothing(*_args: object) -> None:
        return None

    assert (
        await gate([public_of(route(), "pve", "cloudflared")], ask, nothing, nothing, limit_s=30)
        == []
    )
    assert answers == []


def test_a_part_of_a_name_that_the_health_is_not_in_is_asked_for_itself() -> None:
    api = public_of(route(path="^/api/v[12]"), "pve", "cloudflared")
    assert (api.url, api.health) == ("https://chat.jackshome.com/api/v", None)
    whole = public_of(route(hostname="*.jackshome.com"), "pve", "cloudflared")
    assert whole.url == "https://berth-check.jackshome.com/healthz"


@asynccontextmanager
async def origin_at(
    answer: bytes, pair: tuple[str, str] | None, directory: Path
) -> AsyncIterator[str]:
    """An origin on loopback that answers everything alike; its address."""
    context = None
    if pair is not None:
        (directory / "crt").write_text(pair[0])
        (directory / "key").write_text(pair[1])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "crt", directory / "key")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The whole of a short request, or what somebody says who expects TLS here.
        await reader.read(4096)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"{'https' if pair else 'http'}://127.0.0.1:{port}/healthz"


def asked(url: str, **changes: Any) -> Asked:
    values: dict[str, Any] = {
        "verify": True,
        "trusted_here": True,
        "server_name": None,
        "host_header": "chat.jackshome.com",
        "health": HEALTH,
    }
    return Asked(url=url, **{**values, **changes})


WELL = b'HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{"status": "healthy"}'
ILL = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"


async def test_an_origin_that_nobody_trusts_is_a_matter_of_its_certificate(tmp_path: Path) -> None:
    async with origin_at(WELL, new_pair("127.0.0.1"), tmp_path) as url:
        trouble = await examine(asked(url), http.fetch)
        assert trouble is not None
        assert trouble.part == "origin certificate"
        assert "origin/no_tls_verify: true" in trouble.text
        assert await examine(asked(url, verify=False), http.fetch) is None


async def test_an_origin_that_speaks_plain_http_is_told(tmp_path: Path) -> None:
    async with origin_at(WELL, None, tmp_path) as url:
        trouble = await examine(asked(url.replace("http", "https"), verify=False), http.fetch)
    assert trouble is not None
    assert (trouble.part, "does not speak HTTPS" in trouble.text) == ("origin certificate", True)


async def test_an_origin_that_is_ill_or_absent_is_told(tmp_path: Path) -> None:
    async with origin_at(ILL, None, tmp_path) as url:
        trouble = await examine(asked(url), http.fetch)
        assert trouble is not None
        assert (trouble.part, "503 instead of 200" in trouble.text) == ("health", True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        trouble = await examine(asked(f"http://127.0.0.1:{port}/"), http.fetch)
    assert trouble is not None
    assert trouble.part == "origin"
    assert "Connection refused" in trouble.text


async def test_a_name_that_nobody_knows_is_a_matter_of_dns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody(*_args: object, **_kwargs: object) -> Callable[[], None]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    answer = await http.fetch("https://chat.jackshome.com/")
    assert (answer.failed, answer.reason) == ("dns", "Name or service not known")
