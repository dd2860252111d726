"""Machines, policy and DNS of a tailnet."""

import io
import json
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.hujson import HujsonError, check, is_same, standardize
from tests.unit.tailscale.conftest import Api
from tests.unit.tailscale.test_keys import make

ACL = "/tailnet/-/acl"
HUJSON = """{
  // who may give which tag
  "tagOwners": {"tag:web": ["autogroup:admin"],},  /* all of them */
  "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}], // "not a string, yet, }"
}
"""


async def test_a_machine_is_found_by_name_and_by_both_ids(api: Api) -> None:
    joined = api.tailnets.join((await make(api))["key"], "chat")
    _, found = await api.ask("GET", "/tailnet/-/devices?hostname=chat&fields=all")
    (device,) = found["devices"]
    assert (device["name"], device["tags"]) == ("chat.lab.ts.net", ["tag:server"])
    assert (await api.ask("GET", "/tailnet/-/devices?hostname=nobody"))[1] == {"devices": []}
    for place in (joined.id, joined.node_id):
        assert (await api.ask("GET", f"/device/{place}"))[1] == device
    assert (await api.ask("GET", "/device/nobody"))[0] == 404


async def test_a_machine_can_be_changed_and_forgotten(api: Api) -> None:
    joined = api.tailnets.join((await make(api))["key"], "chat")
    place = f"/device/{joined.id}"
    assert (await api.ask("POST", f"{place}/tags", {"tags": ["tag:web"]}))[0] == 200
    assert (await api.ask("POST", f"{place}/tags", {"tags": ["tag:no"]}))[0] == 400
    assert (await api.ask("POST", f"{place}/key", {"keyExpiryDisabled": False}))[0] == 200
    assert (await api.ask("POST", f"{place}/authorized", {"authorized": False}))[0] == 200
    routes = {"routes": ["10.0.0.0/24"]}
    assert (await api.ask("POST", f"{place}/routes", routes))[1]["enabledRoutes"] == routes[
        "routes"
    ]
    assert (await api.ask("POST", f"{place}/routes", {"routes": ["x"]}))[0] == 400
    _, device = await api.ask("GET", place)
    told = (device["tags"], device["keyExpiryDisabled"], device["authorized"])
    assert told == (["tag:web"], False, False)
    assert (await api.ask("DELETE", place))[0] == 200
    assert (await api.ask("GET", place))[0] == 404


async def test_a_policy_is_kept_with_its_comments(api: Api) -> None:
    accept = "application/hujson"
    assert (await api.ask("POST", ACL, HUJSON, Accept=accept))[0] == 200
    assert (await api.ask("GET", ACL, Accept=accept))[1] == HUJSON
    _, plain = await api.ask("GET", ACL)
    assert plain["tagOwners"] == {"tag:web": ["autogroup:admin"]}


async def test_a_policy_that_somebody_changed_is_not_overwritten(api: Api) -> None:
    guarded = {"If_Match": '"ts-default"'}
    assert (await api.ask("POST", ACL, "{}", **guarded))[0] == 200
    status, body = await api.ask("POST", ACL, '{"acls": []}', **guarded)
    assert (status, body["message"]) == (412, "precondition failed, invalid old hash")
    assert (await api.ask("POST", ACL, '{"acls": []}'))[0] == 200
    assert (await api.ask("POST", ACL, "{}", If_Match='"stale"'))[0] == 412


async def test_an_empty_policy_is_the_one_that_a_tailnet_begins_with(api: Api) -> None:
    _, first = await api.ask("GET", ACL)
    assert (await api.ask("POST", ACL, "{}"))[0] == 200
    assert (await api.ask("POST", ACL, ""))[0] == 200
    assert (await api.ask("GET", ACL))[1] == first
    assert (await api.ask("POST", ACL, "{}", If_Match='"ts-default"'))[0] == 200


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ('{"a":[1,2]}', '{ "a" : [ 1, 2, ], }', True),
        ('{\n"a":[1,2]\n}', '{\n\n   "a": [ 1,2 ]\n\n}\n', True),
        ('{"a": 1, // one\n}', '{"a": 1 // one\n}', True),
        ('{"a": "\\u0041"}', '{"a": "A"}', True),
        ('{"a":[1,2]}', '{"a": [\n1,\n2\n]}', False),
        ('{"a": "x y"}', '{"a": "xy"}', False),
        ('{"a": 1} // one\n', '{"a": 1} // two\n', False),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', False),
    ],
)
def test_policies_are_compared_without_their_blanks(left: str, right: str, *, same: bool) -> None:
    assert is_same(left, right) is same


@pytest.mark.parametrize("policy", ["[]", "{", '{"moon": 1}', '{"tagOwners": {"web": []}}'])
async def test_a_policy_that_is_none_is_refused(api: Api, policy: str) -> None:
    assert (await api.ask("POST", ACL, policy))[0] == 400
    assert "message" in (await api.ask("POST", f"{ACL}/validate", policy))[1]
    assert (await api.ask("POST", f"{ACL}/validate", "{}"))[1] == {}


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        ('{"acls": "x"}', "acls: a list is wanted"),
        ('{"ACLs": [1]}', "ACLs: a list of objects is wanted"),
        ('{"acls": [{"action": "deny", "src": [], "dst": []}]}', "acls: action must be accept"),
        ('{"acls": [{"action": "accept", "src": "*", "dst": []}]}', "acls: src: a list of strings"),
        ('{"groups": {"group:a": "x"}}', "groups: group:a: a list of strings is wanted"),
        ('{"groups": {"a": []}}', "groups: 'a' does not begin with group:"),
        ('{"hosts": {"a": 1}}', "hosts: a: a string is wanted"),
        ('{"grants": {}}', "grants: a list is wanted"),
        ('{"tagOwners": []}', "tagOwners: an object is wanted"),
        ('{"tagOwners": {"tag:a": "str"}}', "tagOwners: tag:a: a list of strings is wanted"),
        ('{"tagOwners": {"tag:Bad_x": []}}', "tagOwners: 'tag:Bad_x': tag names can only contain"),
        ('{"tagOwners": {"tag:1": []}}', "tagOwners: 'tag:1': tag names must start with a letter"),
        ('{"tagOwners": {"tag:": []}}', "tagOwners: 'tag:': tag names must not be empty"),
        ('{"randomizeClientPort": "x"}', "randomizeClientPort: true or false is wanted"),
        ("[" * 100_000, "exceeded max depth"),
        ('{"hosts": ' + "[" * 120 + "]" * 120 + "}", "exceeded max depth"),
    ],
)
async def test_a_part_of_a_policy_that_cannot_be_is_named(
    api: Api, policy: str, fault: str
) -> None:
    status, told = await api.ask("POST", ACL, policy)
    assert status == 400
    assert told["message"].startswith(f"invalid policy: {fault}")
    assert (await api.ask("POST", f"{ACL}/validate", policy))[1] == told


async def test_a_policy_with_every_part_is_taken(api: Api) -> None:
    policy = {
        "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"], "proto": "tcp"}],
        "autoApprovers": {"routes": {"10.0.0.0/8": ["tag:Web-1"]}}, "derpMap": None,
        "disableIPv4": False, "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}],
        "groups": {"group:dev": ["a@example.org"]}, "hosts": {"a": "10.0.0.1"},
        "nodeAttrs": [{"target": ["*"], "attr": ["funnel"]}], "OneCGNATRoute": "",
        "ssh": [{"action": "check", "src": ["*"], "dst": ["*"], "users": ["root"]}],
        "tagOwners": {"tag:Web-1": ["autogroup:admin"], "tag:own": None},
        "tests": [{"src": "a@example.org", "accept": ["*:*"]}],
    }  # fmt: skip
    status, _ = await api.ask("POST", ACL, json.dumps(policy))
    assert status == 200
    assert (await api.ask("GET", ACL))[1] == policy


async def test_a_policy_that_is_too_long_is_told_so(api: Api) -> None:
    policy = json.dumps({"acls": [], "groups": {"group:a": ["x" * 1_100_000]}})
    place = f"{api.url}/api/v2{ACL}"
    headers = {"Authorization": aiohttp.encode_basic_auth(api.key, "")}
    body = io.BytesIO(policy.encode())
    async with api.session.post(place, data=body, headers=headers) as answer:
        assert answer.status == 413
        assert (await answer.json())["message"].startswith("request body too large")
    assert (await api.ask("GET", ACL))[1]["acls"] != []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tailnet/-/keys", {"keyType": ["x"]}),
        ("/tailnet/-/dns/configuration", {"nameservers": 5}),
        ("/tailnet/-/dns/configuration", {"nameservers": ["9.9.9.9"]}),
        ("/tailnet/-/dns/configuration", {"splitDNS": [1]}),
        ("/tailnet/-/dns/configuration", {"splitDNS": {"a": 5}}),
        ("/tailnet/-/dns/nameservers", {"dns": {}}),
    ],
)
async def test_a_value_of_a_wrong_type_is_no_fault_of_the_api(
    api: Api, path: str, body: dict[str, Any]
) -> None:
    assert (await api.ask("POST", path, body))[0] == 400


async def test_dns_is_kept(api: Api) -> None:
    dns = "/tailnet/-/dns"
    assert (await api.ask("POST", f"{dns}/nameservers", {"dns": ["9.9.9.9"]}))[0] == 200
    assert (await api.ask("POST", f"{dns}/nameservers", {"dns": ["nine"]}))[0] == 400
    await api.ask("POST", f"{dns}/searchpaths", {"searchPaths": ["example.org"]})
    await api.ask("POST", f"{dns}/preferences", {"magicDNS": False})
    await api.ask("PATCH", f"{dns}/split-dns", {"corp.example": ["10.0.0.1"]})
    assert (await api.ask("GET", f"{dns}/nameservers"))[1] == {"dns": ["9.9.9.9"]}
    assert (await api.ask("GET", f"{dns}/searchpaths"))[1] == {"searchPaths": ["example.org"]}
    assert (await api.ask("GET", f"{dns}/preferences"))[1] == {"magicDNS": False}
    _, whole = await api.ask("GET", f"{dns}/configuration")
    assert whole["splitDns"] == {"corp.example": [{"address": "10.0.0.1"}]}
    _, again = await api.ask("POST", f"{dns}/configuration", whole)
    assert again == whole
    assert (await api.ask("PATCH", f"{dns}/split-dns", {"corp.example": None}))[1] == {}
    # A Go client says so when it has none.
    assert (await api.ask("POST", f"{dns}/nameservers", {"dns": None}))[0] == 200
    assert (await api.ask("POST", f"{dns}/searchpaths", {"searchPaths": None}))[0] == 200
    assert (await api.ask("GET", f"{dns}/nameservers"))[1] == {"dns": []}


async def test_a_dns_configuration_is_replaced_whole(api: Api) -> None:
    place = "/tailnet/-/dns/configuration"
    server = {"address": "9.9.9.9", "useWithExitNode": True}
    said = {
        "nameservers": [server, {"address": "1.1.1.1"}],
        "splitDNS": {"corp.example": [{"address": "10.0.0.1"}, server]},
        "preferences": {"overrideLocalDNS": True},
    }
    _, told = await api.ask("POST", place, said)
    assert told["nameservers"] == said["nameservers"]
    assert told["splitDns"] == said["splitDNS"]
    assert told["preferences"] == {"overrideLocalDns": True, "magicDns": False}
    _, empty = await api.ask("POST", place, {"preferences": {}})
    assert (empty["nameservers"], empty["splitDns"]) == ([], {})
    assert empty["preferences"] == {"overrideLocalDns": False, "magicDns": False}


async def test_a_machine_that_joins_never_takes_the_place_of_another(api: Api) -> None:
    secret = (await make(api, reusable=True))["key"]
    first, second = api.tailnets.join(secret, "a"), api.tailnets.join(secret, "b")
    assert (await api.ask("DELETE", f"/device/{first.id}"))[0] == 200
    third = api.tailnets.join(secret, "c")
    assert {second.id, second.address} & {third.id, third.address} == set()
    _, found = await api.ask("GET", "/tailnet/-/devices")
    assert [each["hostname"] for each in found["devices"]] == ["b", "c"]


_TEXTS = st.text(alphabet='ab",/*\\ \n{}[]:', max_size=12)


@given(st.dictionaries(_TEXTS, st.lists(_TEXTS, max_size=3), max_size=3))
def test_plain_json_is_read_as_it_is(policy: dict[str, Any]) -> None:
    assert standardize(json.dumps(policy)) == policy
    assert standardize(json.dumps(policy, indent=1) + "// end\n") == policy


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1, column 1: parsing value: unexpected EOF"),
        ("nonsense", "line 1, column 1: invalid literal: nonsense"),
        ("{'a': 1}", "line 1, column 2: invalid character '\\'' at start of value"),
        ("{1: 1}", "line 1, column 2: invalid character '1' at start of object name"),
        ('{\n"a" 1}', "line 2, column 5: invalid character '1' after object name"),
        (
            '{"a": 1 "b": 2}',
            "line 1, column 9: invalid character '\"' after object value (expecting ',' or '}')",
        ),
        ("{[}", "line 1, column 3: invalid character '}' at start of value"),
        ("[é]", "line 1, column 2: invalid character 'é' at start of value"),
        ('{"a": ["b"', "line 1, column 11: parsing array after value: unexpected EOF"),
        ("{} {}", "line 1, column 4: invalid character '{' after top-level value"),
        ("{} // end", "line 1, column 4: parsing comment: unexpected EOF"),
    ],
)
def test_what_is_wrong_with_a_policy_is_told_as_tailscale_tells_it(text: str, fault: str) -> None:
    with pytest.raises(HujsonError) as told:
        check(text)
    assert str(told.value) == f"hujson: {fault}"


def test_comments_and_commas_inside_texts_stay() -> None:
    assert standardize('{"a": "x // y", "b": ["/* z */", ",]"], /* c */ }') == {
        "a": "x // y",
        "b": ["/* z */", ",]"],
    }
    with pytest.raises(HujsonError):
        standardize('{"a": "unended}')
