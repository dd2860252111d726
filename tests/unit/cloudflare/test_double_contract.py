"""Every case in which the real cloudflare provider was asked, asked of the double."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.doubles.cloudflare.plugin import plugin_command
from tests.conftest import SHARED
from tests.unit.cloudflare.measured_api import AT, TUNNEL, A, Api, B, Y, Z, made_by, ok, refused
from tests.unit.doubles.bridged_contract import Case, Subject, comparable, steps
from tests.unit.doubles.provider_client import Plugin
from tests.unit.doubles.recorder import Recorder

pytestmark = pytest.mark.shared

CONTRACT = SHARED / "contracts" / "cloudflare-behaviour.json"
CASES: dict[str, Any] = json.loads(CONTRACT.read_text())["cases"] if CONTRACT.is_file() else {}
NAMES = {"<A>": A, "<B>": B, "<Z>": Z, "<Y>": Y}
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


INPUTS: dict[str, dict[str, Any]] = {
    "tunnel": TUNNEL_INPUTS,
    "config": CONFIG_INPUTS,
    "dns": DNS_INPUTS,
    "policy": {
        "accountId": A,
        "name": "team",
        "decision": "allow",
        "includes": [{"email": {"email": "a@b.c"}}],
    },
    "app": {"accountId": A, "name": "chat", "type": "self_hosted", "domain": "chat.jackshome.com"},
    "service": SERVICE_INPUTS,
}
LIFE = re.compile(
    r"(?P<kind>[a-z]+)(-token)?-(?P<verb>read|import|delete)(?P<rest>(-\w+)*)\Z", re.ASCII
)


def special(name: str, subject: Subject) -> Any:
    """The cases whose question is told in words."""
    found = LIFE.match(name)
    if not found:
        return invoked(name, subject)
    kind, verb, rest = found["kind"], found["verb"], found["rest"]
    token, inputs = TOKENS[kind], INPUTS[kind]
    made = subject.made(token, inputs)
    if rest == "-gone":
        away(kind, subject, made)
    elif rest in LATER:
        subject.recorder.forced.append(LATER[rest](made))
    if verb == "delete":
        return subject.delete(token, made)
    if verb == "import":
        path = "" if rest == "-bare" else f"{inputs.get('accountId') or inputs['zoneId']}/"
        return subject.read(token, path + made["id"])
    return subject.read(token, made["id"], made, inputs)


def away(kind: str, subject: Subject, made: dict[str, Any]) -> None:
    """Have the API answer as if somebody else had deleted it."""
    if kind in {"tunnel", "config"}:
        code, part = (1003, "cfd_tunnel") if kind == "tunnel" else (1055, "configurations")
        for method in ("GET", "DELETE"):
            answer = refused(404, code, "not found")
            subject.recorder.forced.append([method, part, answer, None])
    else:
        subject.made_away(TOKENS[kind], made)


def deleted_at(made: dict[str, Any]) -> Any:
    kept = made_by(f"/accounts/{A}/cfd_tunnel", ["cfd_tunnel"], 1, {"name": "n"})
    kept |= {"config_src": "cloudflare", "remote_config": True}
    answer = ok({**kept, "id": made["id"], "deleted_at": "2026-02-01T00:00:00Z"})
    return ["GET", "cfd_tunnel", answer, None]


def changed_outside(made: dict[str, Any]) -> Any:
    by_hand = {"hostname": "hand.jackshome.com", "service": "http://1.2.3.4", "originRequest": {}}
    rules = [by_hand, {"service": "http_status:404"}]
    said = {"config": {"ingress": rules}, "version": 9, "source": "cloudflare"}
    answer = ok({"tunnel_id": made["tunnelId"], "created_at": AT, **said})
    return ["GET", "configurations", answer, None]


# What happens after it was made.
LATER = {"-deleted-at": deleted_at, "-changed-outside": changed_outside}


def invoked(name: str, subject: Subject) -> Any:
    if name == "invoke-tunnels":
        for _ in range(2):
            subject.made(TOKENS["tunnel"], TUNNEL_INPUTS)
    if name == "invoke-dns-records":
        for _ in range(9):
            made = subject.made(TOKENS["dns"], DNS_INPUTS)
        subject.update(TOKENS["dns"], made, {**DNS_INPUTS, "content": "x.cfargotunnel.com"})
    return subject.invoke(*INVOKED[name])


OF_TUNNEL = {"accountId": A, "tunnelId": TUNNEL}
TUNNEL_TOKEN = "getZeroTrustTunnelCloudflaredToken"
INVOKED: dict[str, tuple[str, dict[str, Any]]] = {
    "invoke-token": (TUNNEL_TOKEN, OF_TUNNEL),
    "invoke-token-empty": (TUNNEL_TOKEN, {}),
    "invoke-zone": ("getZone", {"filter": {"name": "jackshome.com", "match": "all"}}),
    "invoke-zone-id": ("getZone", {"zoneId": Z}),
    "invoke-config": ("getZeroTrustTunnelCloudflaredConfig", OF_TUNNEL),
    "invoke-tunnels": (
        "getZeroTrustTunnelCloudflareds",
        {"accountId": A, "name": "n", "isDeleted": False},
    ),
    "invoke-dns-records": (
        "getDnsRecords",
        {"zoneId": Z, "name": {"exact": "chat.jackshome.com"}},
    ),
}


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


@pytest.mark.parametrize(
    ("function", "said", "place", "names"),
    [
        ("getZone", {"zoneId": Z}, "zoneId", "[zone_id,filter]"),
        (
            "getZeroTrustTunnelCloudflared",
            {"accountId": A, "tunnelId": TUNNEL},
            "tunnelId",
            "[tunnel_id,filter]",
        ),
    ],
)
def test_two_ways_to_name_one_thing_are_told_at_the_first(
    subject: Subject, function: str, said: dict[str, Any], place: str, names: str
) -> None:
    subject.configure({"apiToken": "x" * 40, "baseUrl": "<URL>"})
    answer = subject.invoke(function, {**said, "filter": {"name": "n"}})
    combination = "Invalid Attribute Combination: Exactly one of these attributes must be"
    (failure,) = answer["failures"]
    assert failure == {"property": place, "reason": f"{combination} configured: {names}"}
    assert subject.recorder.requests == []


def test_what_only_the_provider_sets_cannot_be_said(subject: Subject) -> None:
    inputs = {**TUNNEL_INPUTS, "status": "healthy"}
    answer = subject.ask("Check", urn=subject.urn(TOKENS["tunnel"]), news=inputs)
    (failure,) = answer["failures"]
    assert failure["reason"].startswith("Invalid Configuration for Read-Only Attribute. Cannot set")
    assert failure["reason"].endswith("Examine values at 'x.status'.")
