"""The shapes that parameter tables are written in. Nothing here looks at a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["string", "integer", "number", "boolean"]


@dataclass(frozen=True)
class Param:
    """One parameter of a call, or one key of a property string."""

    kind: Kind
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    choices: tuple[str, ...] | None = None
    format: "str | Mapping[str, Param] | None" = None
    requires: str | None = None
    default_key: bool = False


def string(
    format: "str | Mapping[str, Param] | None" = None,  # noqa: A002 - Proxmox's own word
    *,
    pattern: str | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    requires: str | None = None,
    default_key: bool = False,
) -> Param:
    """Text, checked by a named format, a property string's keys, or a pattern."""
    return Param(
        "string",
        format=format,
        pattern=pattern,
        min_length=min_length,
        max_length=max_length,
        requires=requires,
        default_key=default_key,
    )


def integer(
    minimum: float | None = None,
    maximum: float | None = None,
    format: str | None = None,  # noqa: A002 - Proxmox's own word
) -> Param:
    """A whole number."""
    return Param("integer", minimum=minimum, maximum=maximum, format=format)


def number(minimum: float | None = None, maximum: float | None = None) -> Param:
    """A decimal number."""
    return Param("number", minimum=minimum, maximum=maximum)


def flag(*, requires: str | None = None) -> Param:
    """A boolean: exactly 0 or 1."""
    return Param("boolean", requires=requires)


def choice(*choices: str, format: str | None = None, requires: str | None = None) -> Param:  # noqa: A002
    """One of some words."""
    return Param("string", choices=choices, format=format, requires=requires)


def keys(table: Mapping[str, Param]) -> dict[str, Param]:
    """A table in which a `?` after a name marks what may be left out."""
    return {
        name.removesuffix("?"): replace(param, optional=True) if name.endswith("?") else param
        for name, param in table.items()
    }


@dataclass(frozen=True)
class Perm:
    """All of `privileges` on `path` (one of them is enough when `any_of`)."""

    path: str
    privileges: tuple[str, ...]
    any_of: bool = False


@dataclass(frozen=True)
class AllOf:
    checks: "tuple[Check, ...]"


@dataclass(frozen=True)
class AnyOf:
    checks: "tuple[Check, ...]"


@dataclass(frozen=True)
class IsSelf:
    """The caller is the user that the call names."""


@dataclass(frozen=True)
class OnRealm:
    """`privilege` on the realm of the user that the call names."""

    privilege: str


@dataclass(frozen=True)
class OnUserGroups:
    """One of `privileges` on the groups of the user that the call names."""

    privileges: tuple[str, ...]
    groups_param: Literal["create", "update"] | None = None


@dataclass(frozen=True)
class MayModifyAcl:
    """The right to change the access list of the path that the call names."""


Check = Perm | AllOf | AnyOf | IsSelf | OnRealm | OnUserGroups | MayModifyAcl


@dataclass(frozen=True)
class Call:
    """One method of the API: its parameters, the right that it declares, who may reach it."""

    params: Mapping[str, Param] = field(default_factory=dict)
    check: Check | None = None
    anonymous: bool = False
    closed_to_tokens: bool = False


def perm(path: str, *privileges: str, any_of: bool = False) -> Perm:
    """Shorthand for the commonest check."""
    return Perm(path, privileges, any_of)
