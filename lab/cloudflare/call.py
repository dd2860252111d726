"""What a call is: who asks, for what, with what; and how long lists are cut into pages."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.cloudflare.errors import ApiError
from lab.cloudflare.rights import Caller
from lab.cloudflare.state import Json

_FIRST_PAGE = 1


@dataclass
class Request:
    """One request that passed the checks of its call.

    `path` holds the values of the path's fields. `info` goes into the answer as `result_info`.
    """

    caller: Caller
    path: dict[str, str]
    query: dict[str, str]
    body: Any = None
    info: Json | None = None

    def page(self, items: Sequence[Any], *, usual: int, most: int) -> list[Any]:
        """The part of `items` that is asked for; raises ApiError for a page that is none."""
        number = self._number("page", _FIRST_PAGE, None)
        size = self._number("per_page", usual, most)
        start = (number - 1) * size
        part = list(items[start : start + size])
        self.info = {
            "page": number,
            "per_page": size,
            "count": len(part),
            "total_count": len(items),
            "total_pages": -(-len(items) // size),
        }
        return part

    def flag(self, name: str) -> bool | None:
        """A query's true or false; None where it is not asked."""
        text = self.query.get(name)
        if text is None or text == "":
            return None
        if text.lower() not in {"true", "false"}:
            raise ApiError(400, 1001, f"Bad Request: {name} must be true or false, got {text}")
        return text.lower() == "true"

    def _number(self, name: str, usual: int, most: int | None) -> int:
        text = self.query.get(name, "")
        if not text:
            return usual
        number = int(float(text)) if re.fullmatch(r"\d{1,9}(\.0{1,9})?", text) else 0
        if number < 1:
            raise ApiError(400, 1001, f"Bad Request: {name} must be a positive integer, got {text}")
        return number if most is None else min(number, most)

    def object(self) -> Json:
        """The body; raises ApiError where it is no JSON object."""
        if not isinstance(self.body, dict):
            raise ApiError(400, 1001, "Bad Request: the body must be a JSON object")
        return self.body


Handler = Callable[[Request], Awaitable[Any]]


@dataclass(frozen=True)
class Call:
    """A method and path of the API.

    `right` is the permission that it takes on the account or zone of the path, None where the
    handler itself decides what a caller sees. `{account}` and `{zone}` stand for ids.
    """

    method: str
    path: str
    handler: Handler
    right: str | None = None
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = re.split(r"\{(\w+)\}", self.path)
        text = "".join(
            f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
        object.__setattr__(self, "pattern", re.compile(text))
