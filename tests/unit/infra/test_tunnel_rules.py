"""The one list of a tunnel: what others put into it is kept, and goes on working."""

from typing import Any

from infra.cloudflare.ingress import CATCH_ALL, name_of, rule_of
from infra.cloudflare.order import hidden, merged
from infra.cloudflare.seen import LastRoutes, known_routes
from infra.cloudflare.words import said
from infra.settings.service import Health
from infra.settings.ways import Origin
from infra.settings.ways_result import RouteSettings

OURS = "http://192.168.1.111:8000"
THEIRS = "http://10.1.1.1:3000"
CHAT, OTHER, HAND = "chat.jackshome.com", "other.jackshome.com", "hand.jackshome.com"


def route(hostname: str = CHAT, path: str | None = None, **more: Any) -> RouteSettings:
    values = {"service": "chat", "fallback": False, "url": OURS, "origin": Origin(),
              "health": Health(), "settings_path": "services/chat/routes/0"}  # fmt: skip
    return RouteSettings(hostname=hostname, path=path, **{**values, **more})


def rule(hostname: str = CHAT, path: str | None = None, service: str = THEIRS) -> dict[str, Any]:
    return {"hostname": hostname, **({"path": path} if path else {}), "service": service}


def written(
    routes: list[RouteSettings], there: list[dict[str, Any]], last: LastRoutes = ()
) -> list[str]:
    """The list that is written, in short: + is ours."""
    whole = merged(there, routes, known_routes(routes, last))
    assert whole.pop() == CATCH_ALL
    again = merged(whole, routes, known_routes(routes, [name_of(rule_of(r)) for r in routes]))
    assert again == [*whole, CATCH_ALL], "the next run would write another list"
    short = [(said(name_of(rule)), rule["service"] == OURS) for rule in whole]
    return [("+" if ours else "") + name.replace(".jackshome.com", "") for name, ours in short]


def test_a_path_that_was_given_away_in_front_of_our_name_stays_in_front() -> None:
    there = [rule(path="^/grafana"), rule(service=OURS), rule(HAND)]
    assert written([route()], there, [[CHAT, ""]]) == ["chat ^/grafana", "+chat", "hand"]


def test_a_new_route_hides_no_path_that_another_answers() -> None:
    there = [rule(path="^/grafana"), rule(HAND)]
    assert written([route()], there) == ["chat ^/grafana", "+chat", "hand"]
    more = [route(path="^/g"), route()]
    assert written(more, there) == ["chat ^/grafana", "+chat ^/g", "+chat", "hand"]
    wide = [route(), route("*.jackshome.com")]
    assert written(wide, there) == ["chat ^/grafana", "+chat", "hand", "+*"]


def test_new_routes_go_in_their_own_order_around_what_stays() -> None:
    there = [rule(OTHER, service=OURS), rule(OTHER, "^/b"), rule(HAND, "^/c"), rule(HAND)]
    routes = [route(), route(HAND, "^/d"), route(OTHER)]
    assert written(routes, there, [[OTHER, ""]]) == [
        "+chat", "+other", "other ^/b", "hand ^/c", "+hand ^/d", "hand",
    ]  # fmt: skip


def test_a_name_of_ours_is_reached_in_front_of_a_wider_one_of_others() -> None:
    everything = rule("*.jackshome.com")
    assert written([route()], [everything]) == ["+chat", "*"]
    assert written([route()], [everything, rule(service=OURS)], [[CHAT, ""]]) == ["+chat", "*"]
    part = route(path="^/api/v2")
    assert written([part], [rule(path="^/api"), rule()]) == ["+chat ^/api/v2", "chat ^/api", "chat"]


def test_routes_of_ours_that_stand_in_another_order_are_put_right() -> None:
    there = [rule(service=OURS), rule(path="^/a"), rule(path="^/api", service=OURS), rule(HAND)]
    routes = [route(path="^/api"), route()]
    assert written(routes, there, [[CHAT, ""], [CHAT, "^/api"]]) == [
        "+chat ^/api", "+chat", "chat ^/a", "hand",
    ]  # fmt: skip


def test_a_fallback_is_tried_after_the_routes_of_others() -> None:
    there = [rule("*.jackshome.com", service=OURS), rule(HAND)]
    routes = [route(), route("*.jackshome.com", fallback=True)]
    assert written(routes, there, [["*.jackshome.com", ""]]) == ["+chat", "hand", "+*"]


def test_what_cannot_be_reached_behind_a_route_of_ours_is_told() -> None:
    there = [rule(path="^/"), rule(path="^/grafana")]
    whole = merged(there, [route()], known_routes([route()], []))
    assert [(said(name_of(a)), said(name_of(b))) for a, b in hidden(whole, {(CHAT, "")})] == [
        (f"{CHAT} ^/", CHAT), (f"{CHAT} ^/grafana", CHAT),
    ]  # fmt: skip


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
