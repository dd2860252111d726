"""A tunnel's life with the real engine: one list, one record a name, and what others made stays."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.engine.ways.conftest import (
    DESTROY,
    HOST,
    TUNNELS,
    UP,
    Public,
    route,
    stack_of,
    take_away,
)
from tests.labs import TestLab

HAND = {"hostname": "hand.jackshome.com", "service": "http://10.1.1.1:80",
        "originRequest": {"noTLSVerify": True, "connectTimeout": 7}}  # fmt: skip


def names(rules: list[dict[str, object]]) -> list[object]:
    return [rule.get("hostname") for rule in rules]


def test_a_name_that_belongs_to_somebody_else_is_refused_before_anything_is_made(
    public: Public,
) -> None:
    public.make_record("site.jackshome.com", "10.1.1.1")
    for words in (("preview",), UP):
        refused = public.pulumi(*words, check=False)
        assert refused.code != 0
        assert (
            "site.jackshome.com: its DNS has a record already, A to 10.1.1.1 (by hand), which "
            "belongs to somebody else. It stays as it is."
        ) in refused.text
        assert public.tunnels() == []


def test_a_public_name_lives_from_creation_to_destroy(public: Public) -> None:
    said = public.up()
    assert "https://site.jackshome.com/healthz: answers" in said
    tunnel, connector = public.the_tunnel(), public.connector()
    [record] = public.records()
    assert record["content"] == f"{tunnel}.cfargotunnel.com"
    assert record["comment"] == "berth pub1icpu berth/test"

    assert public.changes() == set()

    # A route that is added changes the list and one record, and restarts nothing.
    public.routes.append(route("other.jackshome.com"))
    assert public.changes() == {
        ("update", "tunnel-routes"),
        ("create", "other.jackshome.com-record"),
    }
    public.up()
    assert '"status":"healthy"' in public.curl("https://other.jackshome.com/healthz").text
    assert public.connector() == connector

    # So does one that leaves.
    public.routes.pop()
    assert public.changes() == {
        ("update", "tunnel-routes"),
        ("delete", "other.jackshome.com-record"),
    }
    public.up()
    assert names(public.rules(tunnel)) == ["site.jackshome.com", None]
    assert len(public.records()) == 1

    # A tunnel is renamed in place.
    public.config["berth:cloudflare"]["tunnel"] = "engine-renamed"
    assert public.changes() == {("update", "tunnel")}
    assert "tunnel engine-test: is renamed to engine-renamed, in place" in public.up()
    assert [(t["id"], t["name"]) for t in public.tunnels()] == [(tunnel, "engine-renamed")]
    assert public.connector() == connector

    # Another account would be another tunnel: refused, at preview and without one.
    kept = public.config["berth:cloudflare"]["account"]
    public.config["berth:cloudflare"]["account"] = "f" * 32
    for words in (("preview",), UP):
        refused = public.pulumi(*words, check=False)
        assert refused.code != 0
        assert f"would be deleted and made anew (account {kept} -> {'f' * 32})" in refused.text
    assert names(public.rules(tunnel)) == ["site.jackshome.com", None]
    public.config["berth:cloudflare"]["account"] = kept
    assert public.changes() == set()

    # Another unit takes over; the old one leaves nothing behind, nor does the destroy.
    public.config["berth:cloudflare"]["connector"]["unit"] = "cloudflared-b2"
    assert "/healthz: answers without the connector that was replaced" in public.up()
    assert left_on(public) == {
        "/etc/cloudflared-b2",
        "/etc/systemd/system/cloudflared-b2.service",
        "/etc/systemd/system/multi-user.target.wants/cloudflared-b2.service",
        "/var/lib/berth/services/cloudflared-b2",
    }
    assert '"status":"healthy"' in public.curl("https://site.jackshome.com/healthz").text
    assert public.changes() == set()

    public.pulumi(*DESTROY)
    assert (public.tunnels(), public.records()) == ([], [])
    assert left_on(public) == set()
    units = public.lab.ssh(HOST, "systemctl list-units --all --plain --no-legend 'cloudflared*'")
    assert ".service" not in units.text


def left_on(public: Public) -> set[str]:
    """What connectors have placed on the host."""
    places = "/etc /etc/systemd/system /var/lib/berth/services"
    found = public.lab.ssh(
        HOST, f"find {places} -maxdepth 2 -name 'cloudflared*' -not -path '*/apt/*'", check=False
    )
    return {line for line in found.text.splitlines() if line.startswith("/")}


def test_what_was_changed_outside_is_put_right_and_what_others_made_is_kept(
    public: Public,
) -> None:
    public.up()
    tunnel = public.the_tunnel()
    [ours, _] = public.rules(tunnel)
    public.write_rules(tunnel, HAND, {**ours, "service": "http://10.9.9.9:9"})
    public.pulumi("refresh", "--yes")
    said = public.up()
    assert "https://site.jackshome.com/healthz: answers" in said
    assert "route hand.jackshome.com: is kept, though this stack did not make it" in said
    second, first, last = public.rules(tunnel)
    assert first == ours
    assert second == HAND
    assert last == {"service": "http_status:404"}
    public.pulumi("preview", "--expect-no-changes")

    # A name that leads nowhere, or is gone, is asked for once it is put right.
    for bend in (public.bend_record, public.delete_record):
        bend("site.jackshome.com")
        public.pulumi("refresh", "--yes")
        assert "https://site.jackshome.com/healthz: answers" in public.up()
        public.pulumi("preview", "--expect-no-changes")

    # A destroy takes our routes out, and leaves a tunnel that others have routes in.
    gone = public.pulumi(*DESTROY).text
    assert "stays at Cloudflare, since it has routes that this stack did not make" in gone
    assert public.rules(tunnel) == [HAND, {"service": "http_status:404"}]
    assert public.records() == []


@pytest.fixture(scope="module")
def made(lab: TestLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Public, str]]:
    """The stack, up, and all that its first `up` said."""
    public = stack_of(lab, tmp_path_factory.mktemp("standing"))
    yield public, public.pulumi(*UP, "--diff", "--logtostderr", "-v=3").text
    take_away(public)


@pytest.fixture
def first_up(made: tuple[Public, str]) -> str:
    return made[1]


@pytest.fixture
def standing(made: tuple[Public, str]) -> Public:
    """The stack, up, for tests that leave it so; the last one takes it down."""
    return made[0]


def test_the_connectors_token_is_nowhere_to_be_found(standing: Public, first_up: str) -> None:
    token = standing.ask("GET", f"{TUNNELS}/{standing.the_tunnel()}/token")
    state = standing.pulumi("stack", "export").text
    assert token[:40] not in first_up
    assert token[:40] not in state
    assert token not in json.dumps(standing.stack.document)
    processes = standing.lab.ssh(
        HOST, "cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr '\\0' ' '"
    )
    assert token[:40] not in processes.text
    journal = standing.lab.ssh(HOST, "journalctl --no-pager; systemctl cat cloudflared")
    assert token[:40] not in journal.text
    found = standing.lab.ssh(HOST, f"grep -rlsF {token[:40]} /etc /var /opt /root /home /run /tmp")
    assert found.text.split() == ["/etc/cloudflared/token"]
    modes = standing.lab.ssh(HOST, "stat -c '%a %U' /etc/cloudflared/token").text
    assert modes.split() == ["400", "cloudflared"]


def test_a_tunnel_that_is_there_cannot_be_replaced(standing: Public) -> None:
    refused = standing.pulumi(*UP, "--replace", "**::tunnel", check=False)
    assert refused.code != 0
    assert "would be deleted and made anew (asked for with --replace" in refused.text
    tunnel = standing.the_tunnel()
    assert names(standing.rules(tunnel)) == ["site.jackshome.com", None]

    # Its list can be written anew, and the old one's end takes nothing along.
    standing.pulumi(*UP, "--replace", "**::tunnel-routes")
    assert names(standing.rules(tunnel)) == ["site.jackshome.com", None]
    standing.pulumi("preview", "--expect-no-changes")


def test_a_tunnel_that_was_deleted_in_the_dashboard_is_noticed_and_made_anew(
    standing: Public,
) -> None:
    tunnel = standing.the_tunnel()
    standing.lab.ssh(HOST, "systemctl stop cloudflared")
    standing.ask("DELETE", f"{TUNNELS}/{tunnel}")
    for refresh in (False, True):
        if refresh:
            standing.pulumi("refresh", "--yes")
        refused = standing.pulumi("preview", check=False)
        assert refused.code != 0
        assert f"{tunnel} was deleted at Cloudflare, in its dashboard" in refused.text
    found = re.search(r"pulumi (up --replace '([^']+)')", refused.text)
    assert found is not None
    standing.pulumi(*UP, "--replace", found[2])
    assert standing.the_tunnel() != tunnel
    assert '"status":"healthy"' in standing.curl("https://site.jackshome.com/healthz").text
    standing.pulumi("preview", "--expect-no-changes")


def test_the_last_route_takes_the_tunnel_along(standing: Public) -> None:
    tunnel = standing.the_tunnel()
    del standing.routes[0]
    standing.up()
    assert (standing.tunnels(), standing.records()) == ([], [])
    assert standing.ask("GET", f"{TUNNELS}/{tunnel}")["deleted_at"]
