"""Merges what the stack file says of a provider with the environment, which fills what is open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from infra.settings.named import Named, find_secret
from infra.settings.problems import Problem, at
from infra.settings.source import Source
from infra.settings.ways_scalars import BaseUrl


@dataclass(frozen=True)
class Outside:
    """One provider's settings in both places; what contradicts goes to `problems`."""

    section: str
    values: Mapping[str, Any]
    source: Source
    environment: Mapping[str, str]
    problems: list[Problem]

    def plain(self, key: str, variable: str) -> str | None:
        """A value that is no secret."""
        inside, outside = self.values.get(key), self.environment.get(variable) or None
        if inside is not None and outside is not None and inside != outside:
            self.add(
                at(self.section, key),
                f"is {inside}, but {variable} in the environment is {outside}; unset one of them",
            )
        return str(inside) if inside is not None else outside

    def address(self, key: str, variable: str) -> str | None:
        """The address of an API, in one form wherever it comes from."""
        outside = self.environment.get(variable)
        if outside:
            try:
                outside = TypeAdapter(BaseUrl).validate_python(outside)
            except ValidationError as error:
                self.add(variable, str(error.errors()[0]["ctx"]["error"]))
                return None
        merged = Outside(
            self.section, self.values, self.source, {variable: outside or ""}, self.problems
        )
        return merged.plain(key, variable)

    def secret(self, key: str, variable: str) -> Named | None:
        """A secret, by the name of an entry of berth:secrets, or from the environment."""
        name, outside = self.values.get(key), self.environment.get(variable)
        if name is None:
            return Named(variable, variable, outside, None) if outside else None
        inside = find_secret(self.source, at(self.section, key), name, self.problems)
        if inside and outside and inside.value != outside:
            self.add(
                at(self.section, key),
                f"{inside.called} and {variable} in the environment differ; unset one of them",
            )
        return inside

    def add(self, path: str, text: str) -> None:
        """One more problem."""
        self.problems.append(Problem(path, text))
