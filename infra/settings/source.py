"""Reads the engine's configuration: the one place that does, and the one that sees secrets."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi.runtime.config import CONFIG, get_config, is_config_secret

from infra.settings.misplaced import (
    NAMESPACE,
    NO_SECRET_HERE,
    SECRETS,
    check_secrets,
    misplaced,
    store,
)
from infra.settings.models import StackFile
from infra.settings.problems import Problem
from infra.settings.stack_file import Place, keys_outside, read_stack_text

_SECTIONS = {"proxmoxve": "proxmox", "cloudflare": "cloudflare", "tailscale": "tailnet"}


@dataclass(frozen=True)
class Source:
    """What the stack file says, before anything of it is checked.

    `values` holds every key but the secrets; `tainted` names those of its keys that hold a
    secret where none may be: no message may repeat a value below them. `misplaced` are the texts
    that may be such secrets. `secrets` is for checks only; what reaches a resource comes from
    `vault`.
    """

    values: Mapping[str, object]
    tainted: frozenset[str]
    misplaced: frozenset[str] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)
    vault: pulumi.Output[Mapping[str, str]] | None
    problems: tuple[Problem, ...]

    def secret(self, name: str) -> pulumi.Output[str]:
        """A value of berth:secrets, secret for ever."""
        if self.vault is None:
            raise KeyError(name)
        return self.vault.apply(lambda values: values[name])

    def without_secrets(self, problems: Iterable[Problem]) -> list[Problem]:
        """`problems` but for those that would repeat a secret where none may be."""
        return [
            problem
            for problem in problems
            if problem.path.partition("/")[0] not in self.tainted
            or not any(text in problem.text for text in self.misplaced)
        ]

    def without_refused(self, problems: Iterable[Problem]) -> list[Problem]:
        """`problems` but for those of the form of a value that may not be there in any form."""
        refused = {problem.path for problem in self.problems if NO_SECRET_HERE in problem.text}
        return [p for p in problems if p.path not in refused or p.text.startswith("unknown key")]


def read_source(environment: Mapping[str, str]) -> Source:
    """Read every key of the stack; what cannot even be read is among the problems."""
    problems: list[Problem] = []
    values: dict[str, object] = {}
    present = _keys(problems)
    tainted = frozenset(k for k in present if is_config_secret(f"{NAMESPACE}:{k}")) - {SECRETS}
    for key in sorted(present - {SECRETS}):
        values[key] = _parsed(key)
    problems += [
        Problem(
            f"{NAMESPACE}:{key}",
            'stands outside "config:", where nobody reads it; indent it, below "config:"',
        )
        for key in keys_outside(environment, pulumi.get_stack(), present)
    ]
    text = read_stack_text(environment, pulumi.get_stack(), present)
    found = {key: text.secret_places(key) if text else [] for key in tainted}
    places = {key: found[key] or [(key,)] for key in tainted}
    problems += [
        misplaced(place, exactly=bool(found[key]))
        for key in sorted(tainted)
        for place in places[key]
    ]
    leaked = frozenset(
        leaf
        for key in tainted
        for place in places[key]
        for leaf in _texts(_value_at(values[key], place[1:]))
    )
    vault = None
    secrets: Mapping[str, str] = {}
    if SECRETS in present:
        secrets = check_secrets(_parsed(SECRETS), text, problems)
        if not any(p.path == SECRETS for p in problems):
            vault = pulumi.Config(NAMESPACE).require_secret_object(SECRETS)
    return Source(values, tainted, leaked, secrets, vault, tuple(problems))


def _keys(problems: list[Problem]) -> set[str]:
    known = set(StackFile.model_fields) | {SECRETS}
    present = set()
    for full in CONFIG.get():
        namespace, _, key = full.partition(":")
        if namespace == NAMESPACE and key in known:
            present.add(key)
        elif namespace == NAMESPACE:
            said = f"unknown key; known here: {', '.join(sorted(known))}"
            if is_config_secret(full):
                said += f"; a secret in it belongs below berth:secrets: {store(key)}"
            problems.append(Problem(key, said))
        elif difflib.get_close_matches(namespace.lower(), [NAMESPACE], cutoff=0.7):
            problems.append(Problem(full, f"unknown key; did you mean {NAMESPACE}:{key}?"))
        elif section := _SECTIONS.get(namespace):
            problems.append(
                Problem(full, f"is not read; the provider gets its settings from berth:{section}")
            )
    return present


def _parsed(key: str) -> object:
    text = get_config(f"{NAMESPACE}:{key}")
    if key == "id" or not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _value_at(value: object, place: Place) -> object:
    for part in place:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
    return value


def _texts(value: object) -> Iterator[str]:
    """Every text in a value, as a message could repeat it; numbers, too."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif value not in (None, "", True, False):
        yield str(value)
