"""Every case in which the real cloudflare provider was asked, asked of the double."""

import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.doubles.cloudflare.plugin import plugin_command
from tests.conftest import SHARED
from tests.unit.doubles.bridged_contract import Case, Subject, comparable, steps
from tests.unit.doubles.provider_client import Plugin
from tests.unit.doubles.recorder import Answer, Recorder

pytestmark = pytest.mark.shared

CONTRACT = SHARED / "contracts" / "cloudflare-behaviour.json"
CASES: dict[str, Any] = json.loads(CONTRACT.read_text())["cases"] if CONTRACT.is_file() else {}
A, B, Z, Y = "a" * 32, "b" * 32, "c" * 32, "d" * 32
NAMES = {"<A>": A, "<B>": B, "<Z>": Z, "<Y>": Y}
TUNNEL = "00000000-0000-4000-8000-00000000aaaa"
TOKENS = {
    "tunnel": "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared",
    "config": "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",
    "dns": "cloudflare:index/dnsRecord:DnsRecord",
    "policy": "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy",
    "app": "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication",
    "service": "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken",
}
TUNNEL_INPUTS = {"accountId": A, "name": "n", "configSrc": "cloudflare"}
DNS_INPUTS = {
    "zoneId": Z,
    "name": "chat.jackshome.com",
    "type": "CNAME",
    "content": f"{TUNNEL}.cfargotunnel.com",
    "proxied": True,
    "ttl": 1,
    "comment": "by berth",
}
ROUTE = {
    "hostname": "chat.jackshome.com",
    "service": "https://192.168.1.111:8000",
    "originRequest": {"noTlsVerify": True},
}
CONFIG_INPUTS = {
    "accountId": A,
    "tunnelId": TUNNEL,
    "config": {"ingresses": [ROUTE, {"service": "http_status:404"}]},
}
SERVICE_INPUTS = {"accountId": A, "name": "ci", "duration": "8760h"}
AT = "2026-01-01T00:00:00Z"


class Api:
    """Cloudflare as the measurements had it: it keeps what it is told and refuses nothing."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self._ids = itertools.count(1)

    def answer(self, method: str, path: str, body: Any) -> Answer:  # noqa: PLR0911
        bare, _, query = path.partition("?")
        kind = bare.removeprefix("/client/v4").split("/")[3:]
        if bare.startswith("/zones") and len(bare.split("/")) < 4:
            return self._zone(bare, query)
        if bare.endswith("/token"):
            return ok("eyJhIjoiTOKEN")
        if bare.endswith("/configurations"):
            return self._configuration(method, bare, body)
        if method == "POST":
            number = next(self._ids)
            made = made_by(bare, kind, number, body)
            self.kept[f"{bare}/{made['id']}"] = made
            return ok(made)
        if method == "GET" and "page=2" in query:
            return ok([])
        if method == "GET" and not re.search(r"[0-9a-f]{12}$", bare.rsplit("/", 1)[1]):
            return ok([v for k, v in self.kept.items() if k.startswith(f"{bare}/")])
        if bare not in self.kept:
            return refused(404, 81044, "Record does not exist.")
        if method == "DELETE":
            self.kept.pop(bare)
            return ok({})
        if body is not None:
            self.kept[bare] |= body
        shown = dict(self.kept[bare])
        shown.pop("client_secret", None)
        return ok(shown)

    def _configuration(self, method: str, path: str, body: Any) -> Answer:
        if method == "PUT":
            self.kept[path] = {
                "tunnel_id": path.split("/")[-2],
                "version": next(self._ids),
                "source": "cloudflare",
                "created_at": AT,
                **body,
            }
        elif path not in self.kept:
            return refused(404, 1055, "config not found")
        return ok(self.kept[path])

    def _zone(self, path: str, query: str) -> Answer:
        zone_id = path.removeprefix("/zones").strip("/") or "0" * 31 + "f"
        zone = {
            "id": zone_id,
            "name": "jackshome.com",
            "account": {"id": A, "name": "A"},
            "status": "active",
            "type": "full",
            "paused": False,
            "development_mode": 0,
            "name_servers": ["a.ns", "b.ns"],
            "owner": {"id": "x", "name": "x", "type": "user"},
            "meta": {},
            "plan": {},
            "permissions": [],
            "tenant": {},
            "tenant_unit": {},
            **{f"{what}_on": AT for what in ("created", "modified", "activated")},
        }
        return ok([zone] if query else zone)


def made_by(path: str, kind: list[str], number: int, body: Any) -> dict[str, Any]:
    long = f"00000000-0000-4000-8000-{number:012d}"
    if kind == ["cfd_tunnel"]:
        return {
            "id": long,
            "account_tag": path.split("/")[2],
            "config_src": "local",
            "connections": [],
            "created_at": AT,
            "metadata": {},
            "remote_config": body.get("config_src") == "cloudflare",
            "status": "inactive",
            "tun_type": "cfd_tunnel",
            **body,
        }
    if kind == ["dns_records"]:
        times = {"created_on": AT, "modified_on": AT}
        fixed = {"proxiable": True, "meta": {}, "settings": {}, "tags": []}
        return {"id": f"{number:032x}", **times, **fixed, **body}
    if kind == ["access", "apps"]:
        return {"id": long, "aud": "aud", "self_hosted_domains": [body.get("domain")], **body}
    if kind == ["access", "service_tokens"]:
        secret = {"client_id": "x.access", "client_secret": "SECRET" * 10}
        return {"id": long, "expires_at": AT, **secret, **body}
    return {"id": long, **body}


def ok(result: Any) -> Answer:
    return 200, {"success": True, "errors": [], "messages": [], "result": result}


def refused(status: int, code: int, message: str) -> Answer:
    errors = [{"code": code, "message": message}]
    return status, {"success": False, "errors": errors, "messages": [], "result": None}


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder(Api().answer)
    yield made
    made.close()


@pytest.fixture(scope="module")
def running() -> Iterator[Plugin]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("API_TOKEN", "API_KEY", "EMAIL", "BASE_URL"):
            patch.delenv(f"CLOUDFLARE_{name}", raising=False)
        plugin = Plugin(plugin_command(Path(sys.executable)))
    yield plugin
    assert plugin.end() == ""


@pytest.fixture
def subject(recorder: Recorder, running: Plugin) -> Subject:
    return Subject("cloudflare", running, recorder, f"http://{recorder.address}", NAMES)


def use(subject: Subject) -> Any:
    return subject.create(TOKENS["tunnel"], TUNNEL_INPUTS)


def special(name: str, subject: Subject) -> Any:  # noqa: PLR0911, PLR0912
    """The cases whose question is told in words."""
    tunnel, dns, config = TOKENS["tunnel"], TOKENS["dns"], TOKENS["config"]
    api_path = f"/accounts/{A}/cfd_tunnel"
    match name:
        case "tunnel-import" | "tunnel-import-bare" | "tunnel-read-gone" | "tunnel-read-deleted-at":
            made = subject.made(tunnel, TUNNEL_INPUTS)
            if name == "tunnel-import":
                return subject.read(tunnel, f"{A}/{made['id']}")
            if name == "tunnel-import-bare":
                return subject.read(tunnel, made["id"])
            answer = refused(404, 1003, "Tunnel not found")
            if name == "tunnel-read-deleted-at":
                kept = made_by(api_path, ["cfd_tunnel"], 1, {"name": "n"})
                kept |= {"config_src": "cloudflare", "remote_config": True}
                answer = ok({**kept, "id": made["id"], "deleted_at": "2026-02-01T00:00:00Z"})
            subject.recorder.forced.append(["GET", "cfd_tunnel", answer, None])
            return subject.read(tunnel, made["id"], made, TUNNEL_INPUTS)
        case "tunnel-delete-active":
            return subject.delete(tunnel, subject.made(tunnel, TUNNEL_INPUTS))
        case "config-delete":
            return subject.delete(config, subject.made(config, CONFIG_INPUTS))
        case "config-import":
            subject.made(config, CONFIG_INPUTS)
            return subject.read(config, f"{A}/{TUNNEL}")
        case "config-read-changed-outside":
            made = subject.made(config, CONFIG_INPUTS)
            rules = [
                {
                    "hostname": "hand.jackshome.com",
                    "service": "http://1.2.3.4",
                    "originRequest": {},
                },
                {"service": "http_status:404"},
            ]
            said = {"config": {"ingress": rules}, "version": 9, "source": "cloudflare"}
            answer = ok({"tunnel_id": TUNNEL, "created_at": AT, **said})
            subject.recorder.forced.append(["GET", "configurations", answer, None])
            return subject.read(config, TUNNEL, made, CONFIG_INPUTS)
        case "dns-read" | "dns-import" | "dns-delete":
            made = subject.made(dns, DNS_INPUTS)
            if name == "dns-delete":
                return subject.delete(dns, made)
            if name == "dns-import":
                return subject.read(dns, f"{Z}/{made['id']}")
            return subject.read(dns, made["id"], made, DNS_INPUTS)
        case "dns-read-gone" | "dns-delete-gone":
            made = subject.made(dns, DNS_INPUTS)
            subject.made_away(dns, made)
            if name == "dns-delete-gone":
                return subject.delete(dns, made)
            return subject.read(dns, made["id"], made, DNS_INPUTS)
        case "service-token-read":
            made = subject.made(TOKENS["service"], SERVICE_INPUTS)
            return subject.read(TOKENS["service"], made["id"], made, SERVICE_INPUTS)
    return invoked(name, subject)


def invoked(name: str, subject: Subject) -> Any:  # noqa: PLR0911
    of_tunnel = {"accountId": A, "tunnelId": TUNNEL}
    match name:
        case "invoke-token":
            return subject.invoke("getZeroTrustTunnelCloudflaredToken", of_tunnel)
        case "invoke-token-empty":
            return subject.invoke("getZeroTrustTunnelCloudflaredToken", {})
        case "invoke-zone":
            return subject.invoke("getZone", {"filter": {"name": "jackshome.com", "match": "all"}})
        case "invoke-zone-id":
            return subject.invoke("getZone", {"zoneId": Z})
        case "invoke-config":
            return subject.invoke("getZeroTrustTunnelCloudflaredConfig", of_tunnel)
        case "invoke-tunnels":
            for _ in range(2):
                subject.made(TOKENS["tunnel"], TUNNEL_INPUTS)
            asked = {"accountId": A, "name": "n", "isDeleted": False}
            return subject.invoke("getZeroTrustTunnelCloudflareds", asked)
        case "invoke-dns-records":
            for _ in range(9):
                made = subject.made(TOKENS["dns"], DNS_INPUTS)
            subject.update(TOKENS["dns"], made, {**DNS_INPUTS, "content": "x.cfargotunnel.com"})
            asked = {"zoneId": Z, "name": {"exact": "chat.jackshome.com"}}
            return subject.invoke("getDnsRecords", asked)
    raise LookupError(f"{name}: nobody has said how this case is asked")


@pytest.mark.parametrize("name", CASES)
def test_the_double_answers_as_the_real_provider_did(name: str, subject: Subject) -> None:
    case = Case(name, CASES[name])
    if name == "tunnel-create-taken":
        subject.force(case.asked)
        assert subject.has_no_answer(TOKENS["tunnel"], TUNNEL_INPUTS, limit_s=2)
        assert len(subject.recorder.requests) > 1
        return
    subject.force(case.asked)
    config = case.configuration(CASES) or {"apiToken": "x" * 40, "baseUrl": "<URL>"}
    subject.configure(config)
    token = TOKENS.get(name.split("-", 1)[0], "")
    answer = steps(subject, case, token, config, use)
    if answer is None:
        answer = special(name, subject)
    assert comparable(subject, answer, case) == case.expected


def test_a_secret_that_is_told_once_survives_a_change(subject: Subject) -> None:
    subject.configure({"apiToken": "x" * 40, "baseUrl": "<URL>"})
    made = subject.made(TOKENS["service"], SERVICE_INPUTS)
    changed = subject.update(TOKENS["service"], made, {**SERVICE_INPUTS, "name": "other"})
    assert changed["properties"]["name"] == "other"
    assert changed["properties"]["clientSecret"] == made["clientSecret"]
