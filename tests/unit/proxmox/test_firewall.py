"""The firewall calls of a container."""

from typing import Any

import pytest

from tests.unit.proxmox.conftest import Api

FW = "/nodes/pve/lxc/111/firewall"


async def test_options_are_only_what_was_set(api: Api) -> None:
    assert set(await api.get(f"{FW}/options")) == {"digest"}
    assert (await api("PUT", f"{FW}/options", enable=1, policy_in="DROP", ndp=0)).data is None
    options = await api.get(f"{FW}/options")
    digest = options.pop("digest")
    assert options == {"enable": 1, "policy_in": "DROP", "ndp": 0}
    assert (await api("PUT", f"{FW}/options", delete="ndp", digest=digest)).data is None
    assert "ndp" not in await api.get(f"{FW}/options")
    stale = await api("PUT", f"{FW}/options", enable=0, digest=digest)
    assert stale.reason.startswith("detected modified configuration")
    unknown = await api("PUT", f"{FW}/options", delete="colour")
    assert unknown.errors == {"delete": "no such option 'colour'"}


async def test_a_new_rule_comes_first_and_is_off(api: Api) -> None:
    for dport in ("22", "80", "443"):
        rule: dict[str, Any] = {
            "type": "in",
            "action": "ACCEPT",
            "proto": "tcp",
            "dport": dport,
            "pos": 7,
        }
        assert (await api("POST", f"{FW}/rules", **rule)).data is None
    rows = await api.get(f"{FW}/rules")
    assert [(row["pos"], row["dport"], row["enable"]) for row in rows] == [
        (0, "443", 0),
        (1, "80", 0),
        (2, "22", 0),
    ]
    assert len({row["digest"] for row in rows}) == 1
    single = await api.get(f"{FW}/rules/2")
    assert (single["pos"], single["dport"]) == ("2", "22")


async def test_rules_are_changed_moved_and_deleted(api: Api) -> None:
    for comment in ("c", "b", "a"):
        await api("POST", f"{FW}/rules", type="in", action="DROP", comment=comment)
    assert (await api("PUT", f"{FW}/rules/0", moveto=3, comment="ignored")).data is None
    assert [row["comment"] for row in await api.get(f"{FW}/rules")] == ["b", "c", "a"]
    assert (await api("PUT", f"{FW}/rules/0", enable=1, delete="comment")).data is None
    first = await api.get(f"{FW}/rules/0")
    assert (first["enable"], "comment" in first, first["action"]) == (1, False, "DROP")
    assert (await api("DELETE", f"{FW}/rules/0")).data is None
    assert [row["comment"] for row in await api.get(f"{FW}/rules")] == ["c", "a"]
    for method in ("GET", "DELETE"):
        gone = await api(method, f"{FW}/rules/2")
        assert gone.refusal == (500, "no rule at position 2")


@pytest.mark.parametrize(
    ("rule", "errors"),
    [
        ({"type": "in", "action": "PASS"}, {"action": "unknown action 'PASS'"}),
        (
            {"type": "in", "action": "DROP", "iface": "eth0"},
            {"iface": "value does not match the regex pattern 'net\\d+'"},
        ),
        (
            {"type": "in", "action": "DROP", "dport": "22"},
            {"proto": "missing property - 'dport' requires this property"},
        ),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(
    api: Api, rule: dict[str, Any], errors: dict[str, str]
) -> None:
    assert (await api("POST", f"{FW}/rules", **rule)).errors == errors
    assert await api.get(f"{FW}/rules") == []


async def test_empty_fields_of_a_rule_are_no_fields(api: Api) -> None:
    empty = {"source": "", "dest": "", "sport": "", "macro": "", "comment": ""}
    rule: dict[str, Any] = {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "22"}
    assert (await api("POST", f"{FW}/rules", **rule, **empty)).data is None
    row = (await api.get(f"{FW}/rules"))[0]
    assert set(row) == {"type", "action", "proto", "dport", "enable", "pos", "digest"}
    assert (await api("PUT", f"{FW}/rules/0", dport="", proto="")).data is None
    assert not {"dport", "proto"} & set(await api.get(f"{FW}/rules/0"))


async def test_a_rule_of_a_group_holds_its_name(api: Api) -> None:
    assert (await api("POST", f"{FW}/rules", type="group", action="webservers")).data is None
    assert (await api.get(f"{FW}/rules/0"))["action"] == "webservers"


async def test_an_aliass_life(api: Api) -> None:
    path = f"{FW}/aliases"
    assert (await api("POST", path, name="home", cidr="10.0.0.0/8", comment="c")).data is None
    taken = await api("POST", path, name="home", cidr="10.0.0.0/8")
    assert taken.errors == {"name": "alias 'home' already exists"}
    assert (await api("PUT", f"{path}/home", cidr="10.1.0.0/16", rename="lan")).data is None
    rows = await api.get(path)
    assert [(row["name"], row["cidr"]) for row in rows] == [("lan", "10.1.0.0/16")]
    assert (await api("GET", f"{path}/home")).errors == {"name": "no such alias"}
    assert (await api("DELETE", f"{path}/lan")).data is None
    assert await api.get(path) == []
    bad = await api("POST", path, name="x1", cidr="10.0.0.300")
    assert bad.errors["cidr"].startswith("invalid format - ")


async def test_a_sets_life(api: Api) -> None:
    path = f"{FW}/ipset"
    assert (await api("POST", path, name="friends", comment="c")).data is None
    assert (await api("POST", f"{path}/friends", cidr="10.0.0.0/8", nomatch=1)).data is None
    assert (await api("POST", f"{path}/friends", cidr="10.0.0.1")).data is None
    rows = await api.get(f"{path}/friends")
    assert [(row["cidr"], row.get("nomatch")) for row in rows] == [
        ("10.0.0.0/8", 1),
        ("10.0.0.1", None),
    ]
    assert (await api("PUT", f"{path}/friends/10.0.0.0/8", nomatch=0, comment="x")).data is None
    entry = await api.get(f"{path}/friends/10.0.0.0/8")
    assert (entry["comment"], entry.get("nomatch")) == ("x", None)
    full = await api("DELETE", f"{path}/friends")
    assert full.refusal == (500, "IPSet 'friends' is not empty")
    assert (await api("POST", path, name="pals", rename="friends")).data is None
    assert [row["name"] for row in await api.get(path)] == ["pals"]
    assert (await api("DELETE", f"{path}/pals/10.0.0.1")).data is None
    assert (await api("DELETE", f"{path}/pals", force=1)).data is None
    assert await api.get(path) == []


async def test_the_firewall_has_rights_of_its_own(api: Api) -> None:
    plain = api.as_token("plain@pve!tok")
    assert (await plain("GET", f"{FW}/rules")).reason == (
        "Permission check failed (/vms/111, VM.Audit)"
    )
    assert (await plain("POST", f"{FW}/rules", type="in", action="DROP")).reason == (
        "Permission check failed (/vms/111, VM.Config.Network)"
    )


@pytest.mark.parametrize(
    ("delete", "text"),
    [
        ("action", "unable to delete required property 'action'"),
        ("comment,type", "unable to delete required property 'type'"),
        ("nonsense", "no such property ('nonsense')"),
    ],
)
async def test_a_rule_keeps_what_makes_it_one(api: Api, delete: str, text: str) -> None:
    await api("POST", f"{FW}/rules", type="in", action="DROP", comment="c")
    assert (await api("PUT", f"{FW}/rules/0", delete=delete)).errors == {"delete": text}
    assert (await api.get(f"{FW}/rules/0"))["comment"] == "c"
