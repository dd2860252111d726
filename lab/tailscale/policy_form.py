"""Whether a policy has the form of one: its sections, what each holds, its tags. Pure."""

from collections.abc import Callable, Iterator
from typing import Any

from lab.tailscale.state import Json

Faults = Iterator[str]
_LISTS_OF_RULE = ("src", "users", "dst", "ports")


def faults(policy: Json) -> Faults:
    """What is wrong with it, section by section; null is as good as nothing."""
    # Names are known in any case, as Go's reader of JSON knows them.
    known = {name.lower(): check for name, check in _SECTIONS.items()}
    for name, value in policy.items():
        if name.lower() not in known:
            yield f"unknown field {name!r}"
        elif value is not None:
            yield from (f"{name}: {fault}" for fault in known[name.lower()](value))


def tag_fault(tag: str) -> str | None:
    """What is wrong with a tag, in Tailscale's words."""
    name = tag.removeprefix("tag:")
    if name == tag:
        return "tags must start with 'tag:'"
    if not name:
        return "tag names must not be empty"
    if not (name[0].isascii() and name[0].isalpha()):
        return "tag names must start with a letter, after 'tag:'"
    if not (name.isascii() and name.replace("-", "a").isalnum()):
        return "tag names can only contain numbers, letters, or dashes"
    return None


def _tag_owners(value: Any) -> Faults:  # noqa: ANN401 - any JSON
    for tag in value if isinstance(value, dict) else ():
        if fault := tag_fault(tag):
            yield f"{tag!r}: {fault}"
    yield from _lists(value)


def _groups(value: Any) -> Faults:  # noqa: ANN401
    for name in value if isinstance(value, dict) else ():
        if not name.startswith("group:"):
            yield f"{name!r} does not begin with group:"
    yield from _lists(value)


def _lists(value: Any) -> Faults:  # noqa: ANN401
    """Of texts, by name."""
    yield from _object(value)
    for name, each in value.items() if isinstance(value, dict) else ():
        yield from (f"{name}: {fault}" for fault in _texts(each))


def _hosts(value: Any) -> Faults:  # noqa: ANN401
    yield from _object(value)
    for name, each in value.items() if isinstance(value, dict) else ():
        yield from (f"{name}: {fault}" for fault in _text(each))


def _acls(value: Any) -> Faults:  # noqa: ANN401
    yield from _objects(value)
    for rule in value if isinstance(value, list) else ():
        if not isinstance(rule, dict):
            continue
        if rule.get("action") != "accept":
            yield "action must be accept"
        for name in _LISTS_OF_RULE:
            yield from (f"{name}: {fault}" for fault in _texts(rule.get(name)))


def _objects(value: Any) -> Faults:  # noqa: ANN401
    if not isinstance(value, list):
        yield "a list is wanted"
    elif not all(isinstance(each, dict) for each in value):
        yield "a list of objects is wanted"


def _object(value: Any) -> Faults:  # noqa: ANN401
    if not isinstance(value, dict):
        yield "an object is wanted"


def _texts(value: Any) -> Faults:  # noqa: ANN401
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if value is not None and not is_list:
        yield "a list of strings is wanted"


def _text(value: Any) -> Faults:  # noqa: ANN401
    if not isinstance(value, str):
        yield "a string is wanted"


def _flag(value: Any) -> Faults:  # noqa: ANN401
    if not isinstance(value, bool):
        yield "true or false is wanted"


def _anything(_: Any) -> Faults:  # noqa: ANN401
    yield from ()


_SECTIONS: dict[str, Callable[[Any], Faults]] = {
    "acls": _acls,
    "attrConfig": _object,
    "autoApprovers": _object,
    "defaultSrcPosture": _texts,
    "derpMap": _object,
    "disableIPv4": _flag,
    "externalTailnets": _anything,
    "extraDNSRecords": _objects,
    "grants": _objects,
    "groups": _groups,
    "hosts": _hosts,
    "ipsets": _lists,
    "nodeAttrs": _objects,
    "OneCGNATRoute": _text,
    "postures": _lists,
    "randomizeClientPort": _flag,
    "ssh": _objects,
    "sshTests": _objects,
    "tagOwners": _tag_owners,
    "tests": _objects,
}
