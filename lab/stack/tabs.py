"""Tabs between words, which the engine's parser of YAML takes for blanks and ours does not."""

import re
from collections.abc import Callable
from typing import TypeVar

import yaml

T = TypeVar("T")
# Not those that indent: nobody takes them.
_BETWEEN_WORDS = re.compile(r"(?<=\S)[ \t]*\t[ \t]*")


def parsed(text: str, parse: Callable[[str], T]) -> T:
    """What `parse` makes of `text`, as the engine reads it; places in it stay what they are."""
    try:
        return parse(text)
    except RecursionError as error:
        raise yaml.YAMLError("its values are nested too deeply") from error
    except yaml.YAMLError:
        spaced = _BETWEEN_WORDS.sub(lambda tabs: " " * len(tabs[0]), text)
        if spaced == text:
            raise
        return parse(spaced)
