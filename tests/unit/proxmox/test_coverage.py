"""Every call that has a table has an answer, and recorded traffic is free of secrets."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lab.proxmox.hooks import Hooks
from lab.proxmox.parameters import CALLS
from lab.proxmox.record import Recorder
from lab.proxmox.routing import Routes
from tests.contract_check import faults
from tests.unit.proxmox.conftest import ROOT_PASSWORD, Api, Serve
from tests.unit.proxmox.double import GuestsDouble

VALUES = {
    "node": "pve",
    "vmid": "900",
    "storage": "local",
    "userid": "admin@pve",
    "tokenid": "full",
    "roleid": "PVEAdmin",
    "poolid": "lab",
    "volume": "vztmpl/debian-13-standard_13.1-2_amd64.tar.zst",
    "upid": "UPID:pve:00000001:00000001:00000001:vzstart:1:root@pam:",
    "name": "friends",
    "cidr": "10.0.0.1",
    "pos": "0",
}


def _path(name: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: VALUES[match[1]], name.partition(" ")[2])


@pytest.mark.parametrize("name", sorted(CALLS))
def test_each_path_leads_to_its_own_call(name: str) -> None:
    match = Routes(CALLS).find(name.partition(" ")[0], _path(name))
    assert match is not None
    assert match.name == name


@pytest.mark.parametrize("name", sorted(name for name in CALLS if name.startswith("GET ")))
async def test_each_reading_call_answers_its_own_schema(api: Api, name: str) -> None:
    if "/firewall/" in name:
        firewall = "/nodes/pve/lxc/900/firewall"
        await api("POST", f"{firewall}/ipset", name="friends")
        await api("POST", f"{firewall}/ipset/friends", cidr="10.0.0.1")
        await api("POST", f"{firewall}/aliases", name="friends", cidr="10.0.0.1")
        await api("POST", f"{firewall}/rules", type="in", action="DROP")
    answer = await api("GET", _path(name))
    if "{upid}" in name or name.endswith("query-url-metadata"):
        assert answer.status == 400  # it needs a task, or a server
    else:
        assert answer.status == 200, answer


async def test_a_recording_holds_no_secret(
    serve: Serve, guests: GuestsDouble, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path / "record.jsonl")
    kept: list[dict[str, Any]] = []

    def both(exchange: dict[str, Any]) -> None:
        kept.append(exchange)
        recorder(exchange)

    api = await serve(guests, Hooks(refusal_delay_s=0))
    object.__setattr__(api.core.hooks, "on_exchange", both)
    login = {"username": "root@pam", "password": ROOT_PASSWORD}
    ticket = (await api("POST", "/access/ticket", **login)).data["ticket"]
    secret = (await api("POST", "/access/users/admin@pve/token/new")).data["value"]
    assert await api.create(password="hunter2-hunter2") == "OK"
    text = (tmp_path / "record.jsonl").read_text(encoding="utf-8")
    for hidden in (ROOT_PASSWORD, ticket, secret, "hunter2-hunter2"):
        assert hidden not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["call"] for line in lines] == [exchange["call"] for exchange in kept]
    assert lines[-1]["status"] == 200


@pytest.mark.shared
def test_the_contract_check_finds_what_is_wrong() -> None:
    good = {
        "method": "GET",
        "path": "/version",
        "call": "GET /version",
        "params": {},
        "status": 200,
        "reason": "OK",
        "answer": {"data": {"version": "9.1.4", "release": "9.1", "repoid": "1e6b1ab0"}},
    }
    assert faults(good) == []
    assert faults(good | {"params": {"foo": "1"}}) == [
        "GET /version: request/foo: Proxmox knows no such parameter"
    ]
    assert faults(good | {"answer": {"data": {"version": 9, "release": "9.1"}}}) == [
        "GET /version: answer/version: 9 is no string",
        "GET /version: answer/repoid: is missing",
    ]
    assert faults(good | {"call": "GET /nope"}) == ["GET /nope: Proxmox has no such call"]
