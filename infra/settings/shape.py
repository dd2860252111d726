"""Holds the raw values to the models: the whole stack file, or as much of it as is sound."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from infra.settings.models import Container, Existing, Host, Proxmox, Ssh, StackFile, Template
from infra.settings.problems import Problem
from infra.settings.service import Service
from infra.settings.source import Source
from infra.settings.ways import Cloudflare, Tailnet
from infra.settings.words import in_words

Values = Mapping[str, Any]
"""Sound values by field name; a field whose value is not sound is absent."""

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
        for name, host in hosts.items()
    }
    services = _mapping(values.get("services"))
    return Partial(
        services={name: _sound(Service, raw) for name, raw in services.items()},
        likely=dict(_likely(services)),
        hosts={
            name: Draft(kind, _sound(_KINDS[kind], hosts[name][kind]))
            for name, found in kinds.items()
            for kind in found[:1]
        },
        kinds=kinds,
        proxmox=_sound(Proxmox, values.get("proxmox", {})),
        ssh=_sound(Ssh, values.get("ssh", {})),
        cloudflare=_sound_if_there(Cloudflare, values.get("cloudflare")),
        tailnet=_sound_if_there(Tailnet, values.get("tailnet")),
        replace=_names(values.get("replace")),
        remove=_names(values.get("remove")),
    )


def _likely(services: Mapping[str, object]) -> Iterator[tuple[str, Service]]:
    for name, raw in services.items():
        sound = _sound(Service, raw)
        if isinstance(raw, dict) and "source" in sound:
            kept = {"host": "any"} | {key: raw[key] for key in raw if key in sound}
            yield name, Service.model_validate(kept)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(value: object) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def _sound_if_there(model: type[BaseModel], raw: object) -> dict[str, Any] | None:
    return None if raw is None else _sound(model, raw)


def _sound(model: type[BaseModel], raw: object) -> dict[str, Any]:
    """The values of `raw` that fit their fields; defaults where a field was left out."""
    if not isinstance(raw, dict):
        return {}
    try:
        whole = model.model_validate(raw)
    except ValidationError:
        return dict(_each(model, raw))
    return {name: _plain(getattr(whole, name)) for name in model.model_fields}


def _plain(value: Any) -> Any:  # noqa: ANN401 (whatever a field holds)
    """A model within a model as its values."""
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    return value


def _each(model: type[BaseModel], raw: dict[str, object]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        if name not in raw:
            if not field.is_required():
                yield name, field.get_default(call_default_factory=True)
        elif name == "template":
            yield name, _sound(Template, raw[name])
        else:
            try:
                yield name, _adapter(field).validate_python(raw[name])
            except ValidationError:
                continue


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    annotated: Any = Annotated[field.annotation, field]
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return TypeAdapter(annotated)
    return TypeAdapter(annotated, config=ConfigDict(strict=True))
