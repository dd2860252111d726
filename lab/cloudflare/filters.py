"""Conditions that a list's query names. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

Filter = Callable[[Mapping[str, Any]], bool]
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "equal": str.__eq__,
    "exact": str.__eq__,
    "not_equal": str.__ne__,
    "starts_with": str.startswith,
    "startswith": str.startswith,
    "ends_with": str.endswith,
    "endswith": str.endswith,
    "contains": str.__contains__,
}
TEXT_TESTS = ("exact", "contains", "startswith", "endswith")


def combine(filters: Iterable[Filter], match: str, item: Mapping[str, Any]) -> bool:
    """Whether `item` fits all of `filters`, or any of them where `match` is `any`."""
    results = [one(item) for one in filters]
    return not results or (any(results) if match == "any" else all(results))


def text_filter(said: str, at: Callable[[Mapping[str, Any]], str]) -> Filter:
    """A condition of the form `TEXT` or `OPERATOR:TEXT` on the text that `at` picks."""
    operator, colon, rest = said.partition(":")
    exactly = operator.endswith("_case_sensitive")
    name = operator.removesuffix("_case_sensitive")
    if not colon or name not in _TESTS:
        name, rest, exactly = "equal", said, False
    return matches(name, rest, at, exactly=exactly)


def matches(
    test: str, wanted: str, at: Callable[[Mapping[str, Any]], str], *, exactly: bool = False
) -> Filter:
    """A condition: one of Cloudflare's tests on a text, upper and lower case alike."""
    if exactly:
        return lambda item: _TESTS[test](at(item), wanted)
    return lambda item: _TESTS[test](at(item).lower(), wanted.lower())


def one_of(wanted: Collection[str], key: str) -> Filter:
    """A condition: the value at `key` is one of `wanted`."""
    return lambda item: item[key] in wanted
