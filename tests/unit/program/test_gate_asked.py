"""Whatever changes on the way to a public name has it asked in the same run: no silent 502."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.infra.recording import PUBLIC_KEY, run_program
from tests.unit.program.cloud import ACCOUNT, Cloudflare
from tests.unit.program.test_ways import config

NAME = "chat.jackshome.com"
RECORD = f"{NAME}-record"


class Runs:
    """Runs of one stack; `asked` is what the gate hangs on: it asks when that changes."""

    def __init__(self, cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._ids = {"tunnel": cloudflare.tunnel("chat")}

    def asked(
        self,
        *,
        route: Mapping[str, Any] = {},
        ids: Mapping[str, str] = {},
        answered: Mapping[str, Mapping[str, Any]] = {},
        tls: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> str:
        given = config({"hostname": NAME, "origin": {"no_tls_verify": True}, **route}, **keys)
        if tls is not None:
            given["berth:services"]["chat"]["tls"] = tls
        program = run_program(given, self._monkeypatch, ids={**self._ids, **ids}, answered=answered)
        return str(program.resources["public"].inputs["input"])


@pytest.fixture
def runs(cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(cloudflare, monkeypatch)


def test_a_run_in_which_nothing_changes_asks_nobody(runs: Runs) -> None:
    assert runs.asked() == runs.asked()


@pytest.mark.parametrize(
    "more",
    [
        {"keep_alive_s": 45},
        {"connect_timeout_s": 5},
        {"http2": True},
        {"http_host_header": "chat.lan"},
    ],
)
def test_no_setting_of_an_origin_breaks_a_name_unnoticed(runs: Runs, more: dict[str, Any]) -> None:
    origin = {"no_tls_verify": True, **more}
    assert runs.asked(route={"origin": origin}) != runs.asked()


@pytest.mark.parametrize(
    "more",
    [{"ca_file": "/etc/ca-typo.pem"}, {"ca_file": "/etc/ca.pem", "server_name": "chat.lan"}],
)
def test_a_certificate_that_is_trusted_no_longer_is_noticed(
    runs: Runs, more: dict[str, Any]
) -> None:
    own = {"on_host": {"certificate": "/etc/own.crt", "key": "/etc/own.key"}}
    good = {"origin": {"ca_file": "/etc/ca.pem"}}
    assert runs.asked(route={"origin": more}, tls=own) != runs.asked(route=good, tls=own)


def test_a_record_that_is_made_anew_or_put_right_is_asked_for(runs: Runs) -> None:
    before = runs.asked(ids={RECORD: "r1"}, answered={RECORD: {"modifiedOn": "monday"}})
    anew = runs.asked(ids={RECORD: "r2"}, answered={RECORD: {"modifiedOn": "monday"}})
    right = runs.asked(ids={RECORD: "r1"}, answered={RECORD: {"modifiedOn": "tuesday"}})
    assert len({before, anew, right}) == 3


def test_a_list_that_is_put_right_has_its_names_asked_for(runs: Runs) -> None:
    before, after = (runs.asked(answered={"tunnel-routes": {"version": n}}) for n in (3, 4))
    assert before != after


@pytest.mark.parametrize("step", ["tunnel", "pve-connector", "chat-deploy", "chat-intent"])
def test_what_is_made_anew_is_asked_for(runs: Runs, step: str) -> None:
    assert runs.asked(ids={step: "another"}) != runs.asked()


def test_another_unit_or_host_of_the_connector_is_asked_for(runs: Runs) -> None:
    other = {"unit": "cloudflared-2"}
    tunnel = {"account": ACCOUNT, "zone": "jackshome.com", "tunnel": "chat"}
    seen = {
        runs.asked(cloudflare={**tunnel, "connector": {"host": host, **unit}})
        for host, unit in (("pve", {}), ("pve", other), ("chat", {}))
    }
    assert len(seen) == 3


def test_another_way_to_the_connectors_host_is_asked_for(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = runs.asked()
    hosts = {
        "chat": config()["berth:hosts"]["chat"],
        "pve": {"existing": {"address": "192.168.1.12", "host_key": PUBLIC_KEY}},
    }
    assert runs.asked(hosts=hosts) != before
