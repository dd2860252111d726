"""What a call is: who asks, for what, with what."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab import bodies
from lab.tailscale.callers import Caller
from lab.tailscale.errors import ApiError
from lab.tailscale.state import Json


@dataclass
class Request:
    """One request that passed the checks of its call; `headers` of the answer may be added to."""

    caller: Caller
    path: dict[str, str]
    query: dict[str, str]
    headers: Mapping[str, str]
    raw: bytes
    answer_headers: dict[str, str] = field(default_factory=dict)

    def object(self) -> Json:
        """The body; raises ApiError where it is no JSON object."""
        try:
            body = bodies.parse(self.raw) if self.raw else {}
        except bodies.BodyError as error:
            raise ApiError(400, f"invalid request body: {error}") from error
        if not isinstance(body, dict):
            raise ApiError(400, "invalid request body: an object is wanted")
        return body


@dataclass(frozen=True)
class Text:
    """An answer that is no JSON."""

    text: str
    content_type: str


Handler = Callable[[Request], Awaitable[Any]]


@dataclass(frozen=True)
class Call:
    """A method and path below `/api/v2`; `scope` is what it takes, write or read."""

    method: str
    path: str
    handler: Handler
    scope: str
    write: bool
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = re.split(r"\{(\w+)\}", self.path)
        text = "".join(
            f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
        object.__setattr__(self, "pattern", re.compile(text))


def reads(path: str, handler: Handler, scope: str) -> Call:
    return Call("GET", path, handler, scope, write=False)


def writes(method: str, path: str, handler: Handler, scope: str) -> Call:
    return Call(method, path, handler, scope, write=True)
