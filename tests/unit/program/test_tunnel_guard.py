"""What is asked before the tunnel and its list are written: names of others are left alone."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from infra.cloudflare import tunnel
from infra.cloudflare.client import CloudClient
from infra.cloudflare.guard import TunnelGuard
from infra.cloudflare.ingress import CATCH_ALL, rule_of
from infra.cloudflare.look import Cloud, TunnelNow
from infra.cloudflare.seen import LastRoutes, Seen, known_routes
from infra.cloudflare.tunnel import TunnelArgs
from infra.cloudflare.words import Identity
from infra.guard.hooks import WayBindings
from infra.guard.survey import RefusedError
from infra.settings.ways_result import CloudflareAccess
from tests.unit.infra.recording import settings_of
from tests.unit.program.cloud import ACCOUNT, Cloudflare
from tests.unit.program.test_ways import config

IDENTITY = Identity("berth", "prod", "k7q2m9xw")
NAMES = ("a.jackshome.com", "b.jackshome.com", "c.jackshome.com")


def plain(hostname: str) -> dict[str, Any]:
    return {"hostname": hostname, "origin": {"no_tls_verify": True}}


@pytest.fixture
def guard(cloudflare: Cloudflare) -> TunnelGuard:
    """Of a stack with three names, two of which are somebody else's."""
    [zone] = cloudflare.ask("GET", "zones?name=jackshome.com")
    for name in NAMES[1:]:
        body = {"type": "A", "name": name, "content": "10.1.1.1", "ttl": 1, "comment": "theirs"}
        cloudflare.ask("POST", f"zones/{zone['id']}/dns_records", body)
    environment = {"CLOUDFLARE_API_TOKEN": cloudflare.token, "CLOUDFLARE_BASE_URL": cloudflare.url,
                   "TAILSCALE_API_KEY": "tskey-api-k1-s"}  # fmt: skip
    settings = settings_of(config(*map(plain, NAMES)), environment)
    asked = Cloud(CloudClient(cloudflare.url, cloudflare.token))

    async def reach(_access: CloudflareAccess) -> Cloud:
        return asked

    async def state(_project: str, _stack: str) -> Mapping[str, Mapping[str, Any]]:
        return {}

    return TunnelGuard(
        settings.tunnel, settings.cloudflare, IDENTITY, lambda: False, reach, state=state
    )


def args(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> pulumi.ResourceHookArgs:
    return pulumi.ResourceHookArgs(
        urn="", id="", name="tunnel", type="", new_inputs=dict(new), old_inputs=old and dict(old)
    )


def run(hook: Coroutine[Any, Any, None]) -> None:
    asyncio.get_event_loop().run_until_complete(hook)


def local_tunnel(cloudflare: Cloudflare) -> str:
    """One whose routes are in a file of the machine that runs it."""
    body = {"name": "chat", "config_src": "local"}
    return str(cloudflare.ask("POST", f"accounts/{ACCOUNT}/cfd_tunnel", body)["id"])


def record_of(cloudflare: Cloudflare, name: str) -> str:
    """The id of the one record of a name."""
    [zone] = cloudflare.ask("GET", "zones?name=jackshome.com")
    [found] = cloudflare.ask("GET", f"zones/{zone['id']}/dns_records?name={name}")
    return f"zones/{zone['id']}/dns_records/{found['id']}"


def output(value: str) -> pulumi.Output[str]:
    return pulumi.Output.from_input(value)


def rules(*names: str) -> dict[str, Any]:
    return {"config": {"ingresses": [{"hostname": name, "service": "http://x"} for name in names]}}


def test_names_of_somebody_else_keep_the_tunnel_from_being_made(guard: TunnelGuard) -> None:
    with pytest.raises(RefusedError) as refused:
        run(guard.create_tunnel(args(None, {"accountId": ACCOUNT, "name": "chat"})))
    said = str(refused.value).splitlines()
    assert [line.partition(":")[0] for line in said] == list(NAMES[1:])
    assert all("(theirs), which belongs to somebody else" in line for line in said)


def test_a_route_is_not_written_before_its_name_is_known_to_be_free(
    guard: TunnelGuard,
) -> None:
    with pytest.raises(RefusedError, match=r"^c\.jackshome\.com: its DNS has a record already"):
        run(guard.write_routes(args(rules(*NAMES[:2]), rules(*NAMES))))
    run(guard.write_routes(args(rules(*NAMES), rules(*NAMES))))


def test_a_zone_that_the_token_does_not_see_leaves_nothing_half_asked(
    guard: TunnelGuard, recwarn: pytest.WarningsRecorder
) -> None:
    assert guard.settings is not None
    guard.settings = settings = replace(guard.settings, zone="unseen.org")
    there = cast("pulumi.CustomResource", SimpleNamespace(id=output("t"), urn=output("u")))

    async def look() -> None:
        asked = asyncio.ensure_future(tunnel._zone(there, guard))
        zone: pulumi.Output[str] = pulumi.Output.from_input(asked)
        await tunnel._look(there, zone, TunnelArgs(settings, guard, WayBindings(), ()))

    with pytest.raises(pulumi.RunError, match=r"^cloudflare/zone: there is no zone unseen\.org"):
        run(look())
    assert [str(one.message) for one in recwarn] == []


def stands(
    guard: TunnelGuard,
    *there: dict[str, Any],
    last: LastRoutes = (),
    rest: dict[str, Any] | None = None,
) -> None:
    """What was looked up before the list is written."""
    assert guard.settings is not None
    now = TunnelNow(
        id="t",
        name="chat",
        deleted=False,
        connections=[],
        ingress=[*there, CATCH_ALL],
        rest=rest or {},
        token="t",
    )
    guard.settings = replace(guard.settings, routes=guard.settings.routes[:1])
    guard.seen = Seen(now, known_routes(guard.settings.routes, last))


def test_a_route_that_somebody_made_by_hand_is_not_overwritten(guard: TunnelGuard) -> None:
    origin = {"noTLSVerify": True, "connectTimeout": 7}
    theirs = {"hostname": NAMES[0], "service": "http://10.1.1.1:80", "originRequest": origin}
    stands(guard, theirs)
    for old in (None, rules(NAMES[0])):
        with pytest.raises(RefusedError) as refused:
            run(guard.write_routes(args(old, rules(NAMES[0]))))
        assert str(refused.value) == (
            "a.jackshome.com: tunnel chat has a route for it already, to http://10.1.1.1:80 with "
            "noTLSVerify, connectTimeout, which this stack did not make. It stays as it is. Give "
            "services/chat/routes/0 another path or hostname, or, if nobody needs the other one, "
            "take it out of the tunnel's public hostnames by hand"
        )
    stands(guard, theirs, last=[[NAMES[0], ""]])
    run(guard.write_routes(args(None, rules(NAMES[0]))))


def test_a_list_that_was_written_before_the_run_was_cut_off_is_gone_on_with(
    guard: TunnelGuard,
) -> None:
    assert guard.settings is not None
    stands(guard, rule_of(guard.settings.routes[0]))
    run(guard.write_routes(args(None, rules(NAMES[0]))))


def test_a_route_of_others_that_cannot_be_reached_any_more_is_said(
    guard: TunnelGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: warned.append(text))
    stands(guard)
    new = rules(NAMES[0], NAMES[0], "hand.jackshome.com")
    new["config"]["ingresses"][1]["path"] = "^/grafana"
    run(guard.write_routes(args(None, new)))
    assert warned == [
        (
            "route a.jackshome.com ^/grafana: is kept, but never reached: a.jackshome.com, of this "
            "stack, is tried before it and takes everything"
        )
    ]


def test_settings_of_others_that_the_provider_would_drop_are_not_lost(guard: TunnelGuard) -> None:
    assert guard.settings is not None
    access = {"required": True, "teamName": "t", "audTag": ["x"]}
    kept = {"noTLSVerify": False, "tcpKeepAlive": 30, "access": access, "bastionMode": False}
    hand = {"hostname": "hand.jackshome.com", "path": "^/a", "service": "http://10.1.1.1:80"}
    nothing = {"warp-routing": {"enabled": False}, "originRequest": {"proxyPort": 0}}
    stands(guard, {**hand, "id": "3", "originRequest": kept}, rest=nothing)
    run(guard.write_routes(args(None, rules(NAMES[0]))))
    limited = {**kept, "ipRules": [{"prefix": "10.0.0.0/8"}], "access": {**access, "new": 1}}
    ours = {**rule_of(guard.settings.routes[0]), "originRequest": limited}
    everywhere = {"connectTimeout": 5, "proxyPort": 8080, "access": access}
    stands(guard, ours, {**hand, "originRequest": limited}, last=[[NAMES[0], ""]],
           rest={"warp-routing": {"enabled": True}, "originRequest": everywhere})  # fmt: skip
    with pytest.raises(RefusedError) as refused:
        run(guard.write_routes(args(None, rules(NAMES[0]))))
    assert str(refused.value) == (
        "tunnel chat: has settings that the provider does not know, and would drop when it writes "
        "the list, which stays as it is:\n"
        "  hand.jackshome.com ^/a: originRequest/ipRules, originRequest/access/new\n"
        "  the whole tunnel: originRequest/proxyPort, originRequest/access, warp-routing\n"
        "Take them out by hand, or move what needs them to another tunnel. A list in which no "
        "route of this stack changes need not be written: then `pulumi refresh` is enough"
    )


def test_a_tunnel_that_is_configured_where_it_runs_is_not_said_to_be_importable(
    guard: TunnelGuard, cloudflare: Cloudflare
) -> None:
    theirs = local_tunnel(cloudflare)
    with pytest.raises(RefusedError) as refused:
        run(guard.create_tunnel(args(None, {"accountId": ACCOUNT, "name": "chat"})))
    assert f"has a tunnel of this name already, {theirs}, made " in str(refused.value)
    assert str(refused.value).partition(". It is configured ")[2] == (
        "locally, on the machine that it runs on, so this stack cannot have it. Nothing of it was "
        "changed. Give cloudflare/tunnel another name, or migrate that one in the dashboard first"
    )


def test_a_tunnel_that_is_configured_where_it_runs_is_not_deleted_once_it_was_imported(
    guard: TunnelGuard, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: warned.append(text))
    theirs = local_tunnel(cloudflare)
    old = {"accountId": ACCOUNT, "name": "chat", "configSrc": "local"}
    given = pulumi.ResourceHookArgs("", theirs, "tunnel", "", old_inputs=old)
    with pytest.raises(RefusedError, match="pulumi state delete 'urn:pulumi:prod::berth::cloudfl"):
        run(guard.delete_tunnel(given))
    guard._destroying = lambda: True
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    run(guard.delete_tunnel(given))
    assert cloudflare.ask("GET", f"accounts/{ACCOUNT}/cfd_tunnel/{theirs}")["deleted_at"] is None
    assert warned == [
        (
            "tunnel chat: stays at Cloudflare, since it is configured locally, on the machine that it "
            "runs on; the stack forgets it"
        )
    ]


def test_a_record_that_somebody_deleted_does_not_keep_a_stack_from_going(
    guard: TunnelGuard, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, *_: said.append(text))
    place = record_of(cloudflare, NAMES[1])
    _, zone, _, record = place.split("/")
    given = pulumi.ResourceHookArgs(
        "", record, "b-record", "", old_inputs={"zoneId": zone, "name": NAMES[1]}
    )
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    run(guard.delete_record(given))
    assert record_of(cloudflare, NAMES[1]) == place
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    run(guard.delete_record(given))
    with pytest.raises(ValueError, match="not enough values"):
        record_of(cloudflare, NAMES[1])
    assert said == []
    run(guard.delete_record(given))
    assert said == ["b.jackshome.com: its DNS record is gone from Cloudflare already"]


@pytest.mark.parametrize(
    ("source", "refusal"),
    [("local", "is configured locally, on the machine that it runs on, and would be deleted"),
     ("cloudflare", "would be deleted and made anew (account")],
)  # fmt: skip
def test_a_tunnel_that_was_imported_is_not_deleted_for_another_one(
    guard: TunnelGuard, cloudflare: Cloudflare, source: str, refusal: str
) -> None:
    # An import has no hooks, so that its delete would be the provider's.
    body = {"name": "imported", "config_src": source}
    theirs = cloudflare.ask("POST", f"accounts/{ACCOUNT}/cfd_tunnel", body)["id"]
    held = {"id": theirs, "accountId": ACCOUNT, "configSrc": source}

    async def state(_project: str, _stack: str) -> Mapping[str, Mapping[str, Any]]:
        return {IDENTITY.tunnel_urn: held}

    guard._state = state
    new = {"accountId": ACCOUNT, "name": "other"}
    assert guard.settings is not None
    guard.settings = replace(guard.settings, routes=guard.settings.routes[:1], account="f" * 32)
    guard._zone = "z"
    with pytest.raises(RefusedError) as refused:
        run(guard.create_tunnel(args(None, new)))
    assert refusal in str(refused.value)
    cloudflare.ask("DELETE", f"accounts/{ACCOUNT}/cfd_tunnel/{theirs}")
    guard._free.update(NAMES)
    run(guard.create_tunnel(args(None, new)))
