"""Where the rules of others stand among ours: the first that fits a request answers it. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.cloudflare.ingress import CATCH_ALL, Known, Rule, is_route, name_of, rule_of
from infra.settings.hidden_paths import leaves_nothing
from infra.settings.ways_result import RouteSettings

Places = Mapping[tuple[str, str], int]


def merged(
    there: Iterable[Rule], routes: Sequence[RouteSettings], known: Known
) -> list[dict[str, Any]]:
    """The whole list: ours and those of others, our fallbacks, then 404.

    What is there keeps its place. A new rule of ours comes behind those of others that answer
    something of it, and in front of one that takes all of it.
    """
    rules = [rule for rule in there if is_route(rule)]
    own = {name_of(rule): rule for rule in map(rule_of, _tried(routes, fallback=False))}
    last = [rule_of(route) for route in _tried(routes, fallback=True)]
    fallbacks = {name_of(rule) for rule in last}
    order = {name: position for position, name in enumerate(own)}
    whole: list[dict[str, Any]] = []
    for rule in rules:
        mine = own.get(name_of(rule))
        if mine is None:
            if name_of(rule) not in fallbacks and not known.is_ours(rule):
                whole.append(dict(rule))
        elif mine not in whole and not any(_is_wrongly_behind(mine, one, order) for one in whole):
            whole.append(mine)
    stood = {name_of(rule): position for position, rule in enumerate(rules)}
    for mine in own.values():
        if mine not in whole:
            whole.insert(_place(mine, whole, order, stood), mine)
    return [*whole, *last, dict(CATCH_ALL)]


def hidden(rules: Iterable[Rule], ours: Collection[tuple[str, str]]) -> Iterator[tuple[Rule, Rule]]:
    """Each rule of others that never answers, with the one of ours that takes all of it."""
    before: list[Rule] = []
    for rule in filter(is_route, rules):
        if name_of(rule) in ours:
            before.append(rule)
        elif wide := next((one for one in before if _covers(one, rule)), None):
            yield rule, wide


def _tried(routes: Sequence[RouteSettings], *, fallback: bool) -> list[RouteSettings]:
    return [route for route in routes if route.fallback == fallback]


def _is_wrongly_behind(mine: Rule, other: Rule, order: Places) -> bool:
    if (position := order.get(name_of(other))) is not None:
        return order[name_of(mine)] < position and _meet(mine, other)
    return _covers(other, mine)


def _place(mine: Rule, whole: Sequence[Rule], order: Places, stood: Places) -> int:
    """Where it goes in: what it must stand in front of counts more than what it must follow."""
    position, earlier = order[name_of(mine)], stood.get(name_of(mine))
    wished = least = 0
    most = len(whole)
    for at, other in enumerate(whole):
        meets = _meet(mine, other)
        if (others := order.get(name_of(other))) is not None:
            if others > position:
                most = min(most, at) if meets else most
            else:
                wished, least = at + 1, at + 1 if meets else least
        elif _covers(other, mine):
            most = min(most, at)
        elif stood[name_of(other)] < earlier if earlier is not None else meets:
            least = at + 1
        elif meets:
            most = min(most, at)
    return min(max(least, wished), most)


def _covers(wide: Rule, narrow: Rule) -> bool:
    """Whether it is plain that `wide` takes all that `narrow` is for."""
    (_, path), (_, part) = name_of(wide), name_of(narrow)
    if not _takes_name(wide, narrow):
        return False
    try:
        return leaves_nothing(path or None, part or None)
    except re.error:
        # A pattern of somebody else that only RE2 can read.
        return False


def _takes_name(wide: Rule, narrow: Rule) -> bool:
    (all_names, _), (name, _) = name_of(wide), name_of(narrow)
    return (
        all_names in {"", "*", name}
        or (all_names.startswith("*.") and name.endswith(all_names[1:]))
    )  # fmt: skip


def _meet(one: Rule, other: Rule) -> bool:
    """Whether some request may fit both."""
    return _takes_name(one, other) or _takes_name(other, one)
