"""A destroy is told by what lies deepest: a stack that grew past it would lose its guard."""

from functools import cache
from typing import Any

import pytest
from pulumi.runtime.mocks import MockMonitor

from infra.guard.teardown import DEEP, DEPTH
from tests.unit.infra.recording import container, run_program
from tests.unit.program.cloud import Cloudflare
from tests.unit.program.test_ways import config


def test_nothing_of_a_stack_lies_deeper_than_the_chain_that_tells_a_destroy(
    cloudflare: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs: dict[str, set[str]] = {}
    register: Any = MockMonitor.RegisterResource

    def keep(self: MockMonitor, request: Any) -> Any:
        answer = register(self, request)
        provider = request.provider.rpartition("::")[0]
        needs[answer.urn] = {*request.dependencies, request.parent, provider} - {""}
        return answer

    @cache
    def depth(urn: str) -> int:
        return 1 + max((depth(one) for one in needs.get(urn, ())), default=-1)

    monkeypatch.setattr(MockMonitor, "RegisterResource", keep)
    # The longest way: a public name that waits for its service, below a container.
    given = config({"hostname": "chat.jackshome.com", "origin": {"ca_file": "/etc/ca.pem"}})
    own = {"certificate": "/etc/own.crt", "key": "/etc/own.key"}
    given["berth:services"]["chat"]["tls"] = {"on_host": own}
    template = {"url": "https://mirror.example/debian-13.tar.zst", "checksum": "a" * 64}
    given["berth:hosts"]["chat"] = container(template=template)
    given["berth:cloudflare"]["connector"] = {"host": "chat"}
    run_program(given, monkeypatch, ids={"tunnel": cloudflare.tunnel("chat")})
    deep = {urn.rpartition("::")[2]: depth(urn) for urn in needs}
    assert deep["chat-container"] < deep[f"teardown-{DEPTH}"]
    assert max(deep, key=lambda name: deep[name]) == "public"
    assert deep["public"] < DEEP
    # Deleted by a destroy, it asks no gate: it knows by then that it is one.
    assert deep["chat-left"] < DEPTH
