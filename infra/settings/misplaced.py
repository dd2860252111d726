"""Secrets have one place: what stands elsewhere, or otherwise, and where it belongs."""

import re
from collections.abc import Mapping

from pulumi.runtime.config import is_config_secret

from infra.settings.checks import shown
from infra.settings.fields import is_known, model_at, takes_secret_name
from infra.settings.problems import Problem, at
from infra.settings.stack_file import Place, StackText

NAMESPACE = "berth"
SECRETS = "secrets"
NO_SECRET_HERE = "a secret must not stand here, where it would be handled in clear"  # noqa: S105


def store(name: str) -> str:
    """The command that stores a secret in the one place for them, under a name of this kind."""
    return f"pulumi config set --secret --path 'berth:secrets.{_as_name(name)}'"


def misplaced(place: Place, *, exactly: bool) -> Problem:
    """A secret at `place`, or (not `exactly`) somewhere below it."""
    path, name = at(*place), _as_name(_joined(place))
    if takes_secret_name(place):
        return Problem(path, f"{NO_SECRET_HERE}; move it: {store(name)}, and write {name} here")
    if not exactly and _has_parts(place):
        return Problem(
            path,
            f"{NO_SECRET_HERE}; move each one: {store('NAME')}, and write NAME in its place",
        )
    if is_known(place):
        return Problem(path, f"{NO_SECRET_HERE}; this is none: write the plain value")
    return Problem(
        path,
        f"{NO_SECRET_HERE}; move it: {store(name)}, and name {name} at the key that it is for",
    )


def check_secrets(
    values: object, text: StackText | None, problems: list[Problem]
) -> dict[str, str]:
    """The entries of berth:secrets; what is no single encrypted text is among the problems."""
    secret = is_config_secret(f"{NAMESPACE}:{SECRETS}")
    if not isinstance(values, dict):
        got = "" if secret else f", got {shown(values)}"
        problems.append(Problem(SECRETS, f"must be a mapping of names to secrets{got}"))
        return {}
    clear = set(values) if not secret else set(text.clear_secrets() if text else ())
    for name, value in values.items():
        if not isinstance(value, str):
            problems.append(Problem(at(SECRETS, name), _no_text(name, value)))
        elif name in clear:
            problems.append(
                Problem(
                    at(SECRETS, name),
                    "stands in clear text; encrypt it: "
                    f"pulumi config set --secret --path 'berth:secrets.{name}'",
                )
            )
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _no_text(name: str, value: object) -> str:
    said = "must be one encrypted text (secure: ...)"
    if not isinstance(value, Mapping) or not value:
        return said
    commands = ", ".join(store(f"{name}-{key}") for key in value)
    return f"{said}, not a group of them; move each one level up: {commands}"


def _has_parts(place: Place) -> bool:
    """Whether a key of the whole file holds more than one value."""
    return place != ("id",) and (model_at(place) is not None or len(place) == 1)


def _joined(place: Place) -> str:
    below = [str(part) for part in place[1:]]
    parts = below if below and below[0][:1].isalpha() else [str(place[0]), *below]
    return "-".join(parts)


def _as_name(text: str) -> str:
    return re.sub("[^A-Za-z0-9-]", "-", text)
