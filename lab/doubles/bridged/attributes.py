"""Attributes of a resource: their types, names, defaults, and what a change of one costs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from lab.doubles.values import Value

Tf = dict[str, Value]
"""Values by upstream name. None is null; nothing in it is a secret's wrapper."""


class Kind(Enum):
    """The types that have no parts."""

    STRING = "string"
    BOOL = "bool"
    NUMBER = "number"
    JSON = "JSON in a text"
    ANY = "any"
    """Parts that no rule of ours looks into; names are converted from one form to the other."""


@dataclass(frozen=True)
class Many:
    """A list, or a set where it is `unordered`."""

    element: "Type"
    unordered: bool = False


@dataclass(frozen=True)
class Nested:
    """An object."""

    attributes: tuple["Attribute", ...]


Type = Kind | Many | Nested


class Replace(Enum):
    """When a change of an attribute takes a new resource."""

    NEVER = "never"
    ALWAYS = "always"
    IF_SAID = "if said"
    """Only where the program states a value."""


Validator = Callable[[str, Value], Iterator[str]]
"""Given the upstream path and a known value, the faults."""


@dataclass(frozen=True)
class Attribute:
    """One attribute.

    `name` is upstream's; `pulumi` is the one in Pulumi, where that is not the same in camel case;
    `api` is the name in requests and answers of the HTTP API. `sent` false keeps it out of bodies,
    `answered` false keeps what the state says when the API is read. `keeps` means that a plan
    takes the state's value for one that is not known yet.
    """

    name: str
    type: Type = Kind.STRING
    required: bool = False
    optional: bool = True
    computed: bool = False
    default: Value = None
    secret: bool = False
    replaces: Replace = Replace.NEVER
    keeps: bool = False
    description: str = ""
    pulumi: str = ""
    api: str = ""
    sent: bool = True
    answered: bool = True
    validators: tuple[Validator, ...] = ()

    @property
    def key(self) -> str:
        """The name in Pulumi."""
        return self.pulumi or camel(self.name)

    @property
    def field(self) -> str:
        """The name in the HTTP API."""
        return self.api or self.name


def output(
    name: str, type_: Type = Kind.STRING, *, keeps: bool = False, secret: bool = False
) -> Attribute:
    """An attribute that only the provider sets."""
    return Attribute(
        name, type_, optional=False, computed=True, sent=False, keeps=keeps, secret=secret
    )


def camel(name: str) -> str:
    """`no_tls_verify` becomes `noTlsVerify`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def snake(key: str) -> str:
    """`noTlsVerify` becomes `no_tls_verify`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in key)


def one_of(*values: str, any_case: bool = True) -> Validator:
    """A text that is one of `values`."""
    known = {value.lower() for value in values} if any_case else set(values)

    def check(path: str, value: Value) -> Iterator[str]:
        if isinstance(value, str) and (value.lower() if any_case else value) not in known:
            shown = " ".join(f'"{each}"' for each in values)
            yield (
                f"Invalid Attribute Value Match. Attribute {path} value must be one of: "
                f'[{shown}], got: "{value}"'
            )

    return check


def between(low: float, high: float) -> Validator:
    """A number from `low` to `high`."""

    def check(path: str, value: Value) -> Iterator[str]:
        if isinstance(value, float) and not low <= value <= high:
            yield (
                f"Invalid Attribute Value. Attribute {path} value must be between {low:f} and "
                f"{high:f}, got: {value:f}"
            )

    return check


def by_name(attributes: tuple[Attribute, ...]) -> Mapping[str, Attribute]:
    """The attributes by upstream name."""
    return {attribute.name: attribute for attribute in attributes}
