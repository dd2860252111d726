"""What look-ups share: arguments, queries, and lists that come in pages."""

from collections.abc import Iterator, Mapping
from typing import Any

from lab.doubles.bridged.attributes import Attribute, Kind, Nested, Tf, Type, camel
from lab.doubles.bridged.check import Fault
from lab.doubles.cloudflare.client import Client
from lab.doubles.provider import Refused
from lab.doubles.values import UNKNOWN, Value

_MOST_RESULTS = 1000


def argument(name: str, type_: Type = Kind.STRING, *, required: bool = False) -> Attribute:
    """What a program says, and the API does not."""
    return Attribute(name, type_, required=required, answered=False)


def texts(names: tuple[str, ...]) -> Nested:
    """An object of texts."""
    return Nested(tuple(argument(name) for name in names))


def query_of(said: Value) -> dict[str, Any]:
    """Filters as a query: parts of objects with a dot."""
    query: dict[str, Any] = {}
    for name, value in said.items() if isinstance(said, dict) else ():
        if isinstance(value, dict):
            query |= {f"{name}.{part}": inner for part, inner in query_of(value).items()}
        elif isinstance(value, list):
            query[name] = ",".join(str(each) for each in value)
        elif value is not None:
            query[name] = value
    return query


async def only(api: Client, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """The one item of a list; raises Refused for any other number."""
    found = await api.result("GET", path, query=query) or []
    if len(found) != 1:
        raise Refused(f"failed to find exactly one result: {len(found)} found")
    one: dict[str, Any] = found[0]
    return one


async def all_pages(
    api: Client, path: str, query: Mapping[str, Any], most: Value
) -> list[dict[str, Any]]:
    """The items of all pages, until one is empty or there are `most`."""
    limit = int(most) if isinstance(most, float) and most > 0 else _MOST_RESULTS
    found: list[dict[str, Any]] = []
    page = 1
    while len(found) < limit:
        more = {} if page == 1 else {"page": page}
        part = await api.result("GET", path, query={**query, **more}) or []
        if not part:
            break
        found += part
        page += 1
    return found[:limit]


def one_or_the_other(config: Tf, *names: str) -> Iterator[Fault]:
    """A fault at the first of `names`, where more than one is said and all are known."""
    said = [name for name in names if config[name] is not None]
    if len(said) > 1 and all(config[name] != UNKNOWN for name in said):
        yield Fault(camel(said[0]), f"Invalid Attribute Combination. {_one_of(names)}")


def require_one(config: Tf, *names: str) -> None:
    """Raises Refused where none of `names` is said: of that no argument can be blamed."""
    if all(config[name] is None for name in names):
        raise Refused(f"Missing Attribute Configuration: {_one_of(names)}")


def _one_of(names: tuple[str, ...]) -> str:
    return f"Exactly one of these attributes must be configured: [{','.join(names)}]"
