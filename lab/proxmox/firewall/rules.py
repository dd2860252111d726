"""Firewall rules: a new one comes first, whatever position it asks for."""

import re

from lab.proxmox.call import Request, Rows, Values
from lab.proxmox.errors import bad_parameters, died
from lab.proxmox.firewall.records import Part, digest
from lab.proxmox.formats import split_list
from lab.proxmox.state import FirewallRecord
from lab.proxmox.state import Values as Rule

_FIELDS = (
    "action", "comment", "dest", "dport", "enable", "icmp-type", "iface", "log", "macro",
    "proto", "source", "sport", "type",
)  # fmt: skip
_REQUIRED = frozenset(("action", "type"))
_ACTIONS = frozenset(("ACCEPT", "DROP", "REJECT"))
_PORT_PROTOCOLS = frozenset(("tcp", "udp", "dccp", "sctp", "udplite", "6", "17", "33", "132"))


class Rules(Part):
    """The calls on rules."""

    async def listing(self, request: Request) -> Rows:
        record = self.record(request)
        mark = {"digest": digest(record)}
        return [_shown(rule) | {"pos": pos} | mark for pos, rule in enumerate(record.rules)]

    async def read(self, request: Request) -> Values:
        record = self.record(request)
        rule = record.rules[_position(request, record)]
        # A single rule carries its position as text; the provider's decoder insists on it.
        return _shown(rule) | {"pos": request["pos"], "digest": digest(record)}

    async def create(self, request: Request) -> None:
        rule = _merged({"enable": "0"}, request)
        _check(rule)
        self.changing(request).rules.insert(0, rule)
        self.save()

    async def update(self, request: Request) -> None:
        record = self.changing(request)
        pos = _position(request, record)
        if (target := request.get("moveto")) is not None:
            rule = record.rules.pop(pos)
            record.rules.insert(int(target) - (int(target) > pos), rule)
        else:
            deleted = split_list(request.get("delete", ""))
            _require_deletable(deleted)
            kept = {key: value for key, value in record.rules[pos].items() if key not in deleted}
            rule = _merged(kept, request)
            _check(rule)
            record.rules[pos] = rule
        self.save()

    async def delete(self, request: Request) -> None:
        record = self.changing(request)
        del record.rules[_position(request, record)]
        self.save()


def _require_deletable(keys: list[str]) -> None:
    for key in keys:
        if key not in _FIELDS:
            raise bad_parameters({"delete": f"no such property ('{key}')"})
        if key in _REQUIRED:
            raise bad_parameters({"delete": f"unable to delete required property '{key}'"})


def _merged(kept: Rule, request: Request) -> Rule:
    """What is kept with what was sent; an empty value takes a field away."""
    sent = {key: value for key in _FIELDS if (value := request.get(key)) is not None}
    return {key: value for key, value in (kept | sent).items() if value}


def _position(request: Request, record: FirewallRecord) -> int:
    pos = int(request["pos"])
    if pos >= len(record.rules):
        raise died(f"no rule at position {pos}")
    return pos


def _shown(rule: Rule) -> Values:
    return {key: int(value) if key == "enable" else value for key, value in rule.items()}


def _check(rule: Rule) -> None:
    faults: dict[str, str] = {}
    if rule["type"] != "group" and rule["action"] not in _ACTIONS:
        faults["action"] = f"unknown action '{rule['action']}'"
    if "iface" in rule and not re.fullmatch(r"net\d+", rule["iface"]):
        faults["iface"] = "value does not match the regex pattern 'net\\d+'"
    for port in ("dport", "sport"):
        if port in rule and "proto" not in rule and "macro" not in rule:
            faults["proto"] = f"missing property - '{port}' requires this property"
        elif port in rule and "proto" in rule and rule["proto"] not in _PORT_PROTOCOLS:
            faults["proto"] = f"'{rule['proto']}' does not support ports"
    if faults:
        raise bad_parameters(faults)
