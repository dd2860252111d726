"""Another host or unit is another connector: the old one is stopped, and does not speak for it."""

import asyncio
import json
from typing import Any

import pulumi
import pytest

from infra import remote, ways
from infra.cloudflare.words import Identity
from infra.guard import hooks
from infra.guard.survey import RefusedError
from infra.reach import http
from infra.reach.answer import Answer
from infra.settings import load
from infra.step_words import connect_again
from infra.text import connector as text
from tests.unit.infra.recording import Program, Recorder, configure, mock, run_program
from tests.unit.program.cloud import ACCOUNT, Cloudflare
from tests.unit.program.test_ways import PUBLIC, config

STEPS = ("left", "disconnect", "connector")


def with_connector(**where: str) -> dict[str, Any]:
    tunnel = {"account": ACCOUNT, "zone": "jackshome.com", "tunnel": "chat"}
    return config(PUBLIC, cloudflare={**tunnel, "connector": where})


def steps_of(program: Program) -> set[str]:
    return {one.name for one in program.recorded if one.name.endswith(STEPS)}


def test_no_connector_is_turned_into_another_one(
    cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    tunnel = {"tunnel": cloudflare.tunnel("chat")}
    seen: set[str] = set()
    for where in (
        {"host": "pve"},
        {"host": "pve", "unit": "cloudflared-2"},
        {"host": "chat"},
        {"host": "chat", "unit": "cloudflared-2"},
    ):
        program = run_program(with_connector(**where), monkeypatch, ids=tunnel)
        names = steps_of(program)
        assert len(names) == len(STEPS)
        assert not names & seen
        seen |= names
        # What is deleted with the name is what was made under it.
        [stop] = [program.resources[name] for name in names if name.endswith("disconnect")]
        unit = where.get("unit", "cloudflared")
        assert json.loads(stop.inputs["stdin"])["unit"] == unit
        assert f"/services/{unit} ]" in stop.inputs["delete"]


def test_a_unit_of_the_usual_name_keeps_the_names_that_a_state_has(
    cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    tunnel = {"tunnel": cloudflare.tunnel("chat")}
    program = run_program(with_connector(host="pve"), monkeypatch, ids=tunnel)
    assert {"pve-disconnect", "pve-connector"} < steps_of(program)


def test_a_failed_step_says_its_host_and_the_command_that_does_it_again() -> None:
    for unit, name in (("cloudflared", "pve"), ("cloudflared-2", "pve.cloudflared-2")):
        assert text.name_of("pve", unit) == name
        assert text.host_of(name) == "pve"
        again = f"pulumi up --replace '**::pve-guest' --replace '**::{name}-connector'"
        assert connect_again("pve", name) == again


def test_the_old_connector_is_stopped_before_the_gate_is_asked_once_more(
    cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed: dict[str, list[str]] = {}
    make = remote.command

    def keep(name: str, *given: Any, opts: pulumi.ResourceOptions) -> Any:
        assert isinstance(opts.depends_on, list)
        needed[name] = [one.pulumi_resource_name for one in opts.depends_on]
        return make(name, *given, opts=opts)

    monkeypatch.setattr(remote, "command", keep)
    tunnel = {"tunnel": cloudflare.tunnel("chat")}
    run_program(with_connector(host="pve"), monkeypatch, ids=tunnel)
    assert "pve-left" in needed["pve-disconnect"]
    assert "pve-disconnect" in needed["pve-connector"]


@pytest.mark.parametrize(
    ("routes", "destroying", "asked"),
    [((PUBLIC,), False, True), ((PUBLIC,), True, False), ((), False, False)],
)
def test_what_is_left_is_asked_where_names_are_to_answer_on(
    monkeypatch: pytest.MonkeyPatch, routes: tuple[Any, ...], destroying: bool, asked: bool
) -> None:
    said: list[str] = []

    async def fetch(url: str, **_how: Any) -> Answer:
        said.append(url)
        return Answer(status=500)

    async def once(publics: Any, ask: Any, *_others: Any) -> list[str]:
        return [str((await ask(public)).status) for public in publics]

    monkeypatch.setattr(http, "fetch", fetch)
    monkeypatch.setattr(ways, "gate", once)
    monkeypatch.setattr(hooks, "bind_ways", lambda _callbacks: None)
    mock(Recorder())
    configure(config(*routes))
    settings = load()
    way = ways.Ways(
        settings.tunnel,
        settings.cloudflare,
        Identity("berth", "prod", settings.id),
        lambda: destroying,
    )
    left = way.pass_gate_again(None)  # type: ignore[arg-type]
    if asked:
        with pytest.raises(RefusedError, match="once the connector that was replaced had stopped"):
            asyncio.get_event_loop().run_until_complete(left)
    else:
        asyncio.get_event_loop().run_until_complete(left)
    assert said == (["https://chat.jackshome.com/healthz"] if asked else [])
