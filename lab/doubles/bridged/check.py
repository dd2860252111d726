"""Whether a program's values can be taken, before anything is planned. Pure.

The texts are those of the framework and of the bridge over it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.doubles.bridged.attributes import Attribute, Many, Nested, Tf
from lab.doubles.values import UNKNOWN, Value

MISSING = "Missing Configuration for Required Attribute"
_REQUIRED = (
    "Must set a configuration value for the {name} attribute as the provider has marked it as "
    "required.\n\nRefer to the provider documentation or contact the provider developers for "
    "additional information about configurable attributes that are required."
)
_READ_ONLY = (
    "Invalid Configuration for Read-Only Attribute. Cannot set value for this attribute as the "
    "provider has marked it as read-only. Remove the configuration line setting the value.\n\n"
    "Refer to the provider documentation or contact the provider developers for additional "
    "information about configurable and read-only attributes that are supported."
)


@dataclass(frozen=True)
class Fault:
    """A fault with the place in Pulumi's names, and the attribute that is missing there.

    `text` is a summary, ". ", and what follows.
    """

    place: str
    text: str
    missing: Attribute | None = None

    def of_resource(self, name: str) -> str:
        """As the check of the resource called `name` words it."""
        if self.missing is not None:
            told = f": {self.missing.description}" if self.missing.description else ""
            return f"Missing required property '{self.place}'{told}"
        return f"{self.text}. Examine values at '{name}.{self.place}'." if self.place else self.text

    def of_function(self) -> str:
        """As a function's failure words it."""
        if self.missing is not None:
            return f"{MISSING}: {_REQUIRED.format(name=self.missing.name)}"
        return self.text.replace(". ", ": ", 1)


def faults(attributes: Iterable[Attribute], config: Tf) -> Iterator[Fault]:
    """Everything about `config` that the attributes do not allow."""
    yield from _faults(attributes, config, "", "")


def _faults(attributes: Iterable[Attribute], config: Tf, place: str, path: str) -> Iterator[Fault]:
    for attribute in attributes:
        value = config.get(attribute.name)
        here, upstream = place + attribute.key, path + attribute.name
        if value is None:
            if attribute.required:
                yield Fault(here, "", attribute)
            continue
        if attribute.computed and not attribute.optional:
            yield Fault(here, _READ_ONLY)
        if value == UNKNOWN:
            continue
        for validator in attribute.validators:
            for text in validator(upstream, value):
                yield Fault(here, text)
        yield from _inner(attribute, value, here, upstream)


def _inner(attribute: Attribute, value: Value, here: str, upstream: str) -> Iterator[Fault]:
    match attribute.type:
        case Nested(attributes=inner) if isinstance(value, dict):
            yield from _faults(inner, value, f"{here}.", f"{upstream}.")
        case Many(element=Nested(attributes=inner)) if isinstance(value, list):
            for index, each in enumerate(value):
                if isinstance(each, dict):
                    at = f"[{index}]."
                    yield from _faults(inner, each, here + at, upstream + at)
        case _:
            return
