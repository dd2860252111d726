"""Annotations that check one value and say in words what it must be."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class Hint:
    """What is added to the message about a value that is too small."""

    text: str


class SaidError(ValueError):
    """Says what is wrong with a value better than the general text of its field.

    `hidden`: the value has a secret in it, which the message must not repeat.
    """

    def __init__(self, text: str, *, hidden: bool = False) -> None:
        self.hidden = hidden
        super().__init__(text)


def shown(value: object) -> str:
    """How a value of the stack file appears in a message."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


@dataclass(frozen=True)
class Parsed:
    """A text that `parse` takes (ValueError: it does not). `problem` says what it must be.

    `hidden` values may be secrets in the wrong place: no message repeats them.
    """

    parse: Callable[[str], object]
    problem: str
    schema: JsonSchemaValue = field(default_factory=dict, hash=False)
    hidden: bool = False

    def check(self, value: object) -> object:
        """The parsed value; ValueError otherwise."""
        problem, hidden = self.problem, self.hidden
        if isinstance(value, str):
            try:
                return self.parse(value)
            except SaidError as said:
                problem, hidden = str(said), hidden or said.hidden
            except ValueError:
                pass
        raise ValueError(problem if hidden else f"{problem}, got {shown(value)}")

    def __get_pydantic_core_schema__(
        self, _source: type, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", **self.schema}


def matching(pattern: str, problem: str, *, hidden: bool = False) -> Parsed:
    """A text that matches `pattern` as a whole."""
    compiled = re.compile(pattern)

    def parse(text: str) -> str:
        if compiled.fullmatch(text):
            return text
        raise ValueError(text)

    return Parsed(parse, problem, {"pattern": f"^(?:{pattern})$"}, hidden)
