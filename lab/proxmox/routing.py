"""Finds the call that a method and a path mean."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_PARAM = re.compile(r"\{([\w-]+)\}")


@dataclass(frozen=True)
class Match:
    """The name of a call (`GET /nodes/{node}/lxc`) and the values in its path."""

    name: str
    values: dict[str, str]


class Routes:
    """Path templates, longest literal match first; `{volume}` takes the rest of a path."""

    def __init__(self, names: Iterable[str]) -> None:
        self._patterns: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for name in sorted(names, key=lambda name: (name.count("{"), name)):
            method, _, template = name.partition(" ")
            self._patterns.setdefault(method, []).append((_compile(template), name))

    def find(self, method: str, path: str) -> Match | None:
        """The call, or None when there is none."""
        for pattern, name in self._patterns.get(method, ()):
            if match := pattern.match(path):
                return Match(name, match.groupdict())
        return None


def _compile(template: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>{'.+' if match[1] in {'volume', 'cidr'} else '[^/]+'})"

    return re.compile(rf"{_PARAM.sub(group, template)}/?\Z")
