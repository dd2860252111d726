"""What others have set in a tunnel, and the provider would drop as it writes the list. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from infra.cloudflare.ingress import Rule, name_of, says_nothing
from infra.cloudflare.resources import ACCESS, ORIGIN, RULE

Lost = tuple[tuple[str, str] | None, list[str]]
"""The rule, None for the whole tunnel, and the places of what is lost."""

# A number that the dashboard once gave to each rule.
_OF_NO_USE = {"id"}


def lost(theirs: Iterable[Rule], rest: Mapping[str, Any]) -> list[Lost]:
    """What a write of the list would lose, rule by rule; `rest` is what stands beside the list."""
    found: list[Lost] = [(name_of(rule), [*_of_rule(rule)]) for rule in theirs]
    # At the top `access` passes the provider, and Cloudflare takes no notice of it.
    found.append((None, [*_of_origin(rest, ORIGIN), *_unknown(rest, {"originRequest"}, "")]))
    return [one for one in found if one[1]]


def _of_rule(rule: Rule) -> Iterator[str]:
    yield from _of_origin(rule, {*ORIGIN, "access"})
    access = (rule.get("originRequest") or {}).get("access") or {}
    yield from _unknown(access, ACCESS, "originRequest/access/")
    yield from _unknown(rule, {*RULE, "originRequest", *_OF_NO_USE}, "")


def _of_origin(values: Mapping[str, Any], known: Collection[str]) -> Iterator[str]:
    yield from _unknown(values.get("originRequest") or {}, known, "originRequest/")


def _unknown(values: Mapping[str, Any], known: Collection[str], below: str) -> Iterator[str]:
    for key, value in values.items():
        if key not in known and not says_nothing(value):
            yield f"{below}{key}"
