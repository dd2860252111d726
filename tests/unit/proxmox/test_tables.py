"""The lab's parameter tables, held to the extract of Proxmox's own."""

from typing import Any

import pytest

from lab.proxmox.parameters import CALLS
from lab.proxmox.schema import (
    AllOf,
    AnyOf,
    Check,
    IsSelf,
    MayModifyAcl,
    OnRealm,
    OnUserGroups,
    Param,
    Perm,
)
from tests.contract_check import contract

DESCRIPTIVE = {"default", "renderer"}


def _as_proxmox_writes(param: Param) -> dict[str, Any]:
    given = {
        "type": param.kind,
        "optional": 1 if param.optional else None,
        "minimum": param.minimum,
        "maximum": param.maximum,
        "minLength": param.min_length,
        "maxLength": param.max_length,
        "pattern": param.pattern,
        "enum": list(param.choices) if param.choices else None,
        "requires": param.requires,
        "default_key": 1 if param.default_key else None,
        "format": param.format
        if param.format is None or isinstance(param.format, str)
        else {name: _as_proxmox_writes(inner) for name, inner in param.format.items()},
    }
    return {key: value for key, value in given.items() if value is not None}


def _comparable(theirs: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in theirs.items() if key not in DESCRIPTIVE}
    if kept.get("optional") == 0:
        del kept["optional"]
    if "pattern" in kept:
        kept["pattern"] = kept["pattern"].replace("(?^:", "(?:")
    if kept.get("enum", ()) is None:
        del kept["enum"]
    for limit in ("minimum", "maximum"):
        if limit in kept:
            kept[limit] = float(kept[limit])
    if isinstance(kept.get("format"), dict):
        kept["format"] = {name: _comparable(inner) for name, inner in kept["format"].items()}
    return kept


def _check_as_proxmox_writes(check: Check) -> list[Any]:  # noqa: PLR0911 - one for each kind
    match check:
        case Perm(path, privileges, any_of):
            return ["perm", path, list(privileges), *(["any", 1] if any_of else [])]
        case AllOf(checks):
            return ["and", *(_check_as_proxmox_writes(inner) for inner in checks)]
        case AnyOf(checks):
            return ["or", *(_check_as_proxmox_writes(inner) for inner in checks)]
        case IsSelf():
            return ["userid-param", "self"]
        case OnRealm(privilege):
            return ["userid-param", privilege]
        case OnUserGroups(privileges, groups_param):
            mode = ["groups_param", groups_param] if groups_param else []
            return ["userid-group", list(privileges), *mode]
        case MayModifyAcl():
            return ["perm-modify", "{path}"]


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_table_that_differs_from_proxmox_is_found(name: str) -> None:
    theirs = contract()[name]
    expected = {
        key: _comparable(value)
        for key, value in (theirs["parameters"].get("properties") or {}).items()
    }
    assert {key: _as_proxmox_writes(param) for key, param in CALLS[name].params.items()} == expected


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_right_that_differs_from_what_proxmox_declares_is_found(name: str) -> None:
    declared = contract()[name]["permissions"]
    call = CALLS[name]
    if call.anonymous:
        assert declared == {"user": "world"}
    elif call.check is None:
        assert declared == {"user": "all"}
    else:
        assert _check_as_proxmox_writes(call.check) == declared["check"]
