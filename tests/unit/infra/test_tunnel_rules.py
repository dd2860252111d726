"""The one list of a tunnel: what others put into it is kept, and goes on working."""

from typing import Any

from infra.cloudflare.seen import known_routes
from infra.settings.service import Health
from infra.settings.ways import Origin
from infra.settings.ways_result import RouteSettings

OURS = "http://192.168.1.111:8000"
THEIRS = "http://10.1.1.1:3000"
CHAT = "chat.jackshome.com"


def route(hostname: str = CHAT, path: str | None = None, **more: Any) -> RouteSettings:
    values = {"service": "chat", "fallback": False, "url": OURS, "origin": Origin(),
              "health": Health(), "settings_path": "services/chat/routes/0"}  # fmt: skip
    return RouteSettings(hostname=hostname, path=path, **{**values, **more})


def rule(hostname: str = CHAT, path: str | None = None, service: str = THEIRS) -> dict[str, Any]:
    return {"hostname": hostname, **({"path": path} if path else {}), "service": service}


def test_what_leads_to_our_service_by_hand_is_not_taken_for_ours() -> None:
    known = known_routes([route()], [])
    assert known.is_ours(rule(service=OURS))
    assert not known.is_ours(rule(path="^/big", service=OURS))
    assert not known.is_ours({**rule(service=OURS), "originRequest": {"noTLSVerify": True}})


def test_a_route_that_another_took_by_hand_is_not_ours_to_take_out() -> None:
    assert not known_routes([route()], []).is_ours(rule())


def test_what_the_last_run_wrote_is_ours_whatever_it_is_now() -> None:
    known = known_routes([route()], [[CHAT, ""], ["old.jackshome.com", ""]])
    assert known.is_ours(rule())
    assert known.is_ours(rule("Old.jackshome.com"))
    assert not known.is_ours(rule("old.jackshome.com", "^/grafana"))


def test_a_rule_that_a_run_wrote_before_it_was_cut_off_is_ours() -> None:
    origin = Origin(no_tls_verify=True, connect_timeout_s=7)
    known = known_routes([route(path="^/v1", origin=origin)], [])
    written = {"noTLSVerify": True, "connectTimeout": 7, "access": None, "http2Origin": False}
    assert known.is_ours({**rule(path="^/v1", service=OURS), "originRequest": written})
