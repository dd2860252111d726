"""Holds the raw values to the models: the whole stack file, or as much of it as is sound."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from infra.settings.models import Container, Existing, Host, Proxmox, Ssh, StackFile
from infra.settings.problems import Problem
from infra.settings.service import Service
from infra.settings.sound import Values, sound, sound_if_there
from infra.settings.source import Source
from infra.settings.ways import Cloudflare, Tailnet
from infra.settings.words import in_words

_KINDS: dict[str, type[BaseModel]] = {"container": Container, "existing": Existing}


@dataclass(frozen=True)
class Draft:
    """One host, whatever else is wrong with it."""

    kind: str
    values: Values


@dataclass(frozen=True)
class Partial:
    """The sound values of a stack file: what the rules across fields can work with.

    `likely` are the services whose sources can be looked at, without what is wrong in them.
    """

    hosts: Mapping[str, Draft]
    kinds: Mapping[str, tuple[str, ...]]
    services: Mapping[str, Values]
    likely: Mapping[str, Service]
    proxmox: Values
    ssh: Values
    cloudflare: Values | None
    tailnet: Values | None
    replace: tuple[str, ...]
    remove: tuple[str, ...]

    def of_kind(self, kind: str) -> dict[str, Values]:
        """The hosts of one kind, `container` or `existing`."""
        return {name: draft.values for name, draft in self.hosts.items() if draft.kind == kind}


@dataclass(frozen=True)
class Shape:
    """The stack file as models (None when it does not fit), with what is sound of it."""

    stack_file: StackFile | None
    partial: Partial
    problems: tuple[Problem, ...]


def check_shape(source: Source, make_id: Callable[[], str]) -> Shape:
    """Hold `source` to the models; a missing id is answered with a fresh one to paste."""
    stack_file: StackFile | None = None
    problems: tuple[Problem, ...] = ()
    try:
        stack_file = StackFile.model_validate(dict(source.values))
    except ValidationError as error:
        problems = tuple(
            in_words(e, source.tainted, make_id) for e in error.errors(include_url=False)
        )
    return Shape(stack_file, _partial(source.values), problems)


def _partial(values: Mapping[str, object]) -> Partial:
    hosts = {n: h for n, h in _mapping(values.get("hosts")).items() if isinstance(h, dict)}
    kinds = {
        name: tuple(kind for kind in Host.model_fields if host.get(kind) is not None)
        # One that is empty has its own words: nothing else is said of it.
        or tuple(kind for kind in Host.model_fields if kind in host)[:1]
        for name, host in hosts.items()
    }
    services = _mapping(values.get("services"))
    return Partial(
        services={name: sound(Service, raw) for name, raw in services.items()},
        likely=dict(_likely(services)),
        hosts={
            name: Draft(kind, sound(_KINDS[kind], hosts[name][kind]))
            for name, found in kinds.items()
            for kind in found[:1]
        },
        kinds=kinds,
        proxmox=sound(Proxmox, values.get("proxmox", {})),
        ssh=sound(Ssh, values.get("ssh", {})),
        cloudflare=sound_if_there(Cloudflare, values.get("cloudflare")),
        tailnet=sound_if_there(Tailnet, values.get("tailnet")),
        replace=_names(values.get("replace")),
        remove=_names(values.get("remove")),
    )


def _likely(services: Mapping[str, object]) -> Iterator[tuple[str, Service]]:
    for name, raw in services.items():
        found = sound(Service, raw)
        if isinstance(raw, dict) and "source" in found:
            # Whoever looks at routes finds them, each with its place, among `services`.
            keys = found.keys() - {"routes"}
            kept = {"host": "any"} | {key: raw[key] for key in raw if key in keys}
            yield name, Service.model_validate(kept)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(value: object) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()
