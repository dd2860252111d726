"""As much of a value of the stack file as is sound: what the rules across fields can work with."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from infra.settings.models import Template
from infra.settings.ways import Connector, Route, TailnetKey

Values = Mapping[str, Any]
"""Sound values by field name; a field whose value is not sound is absent."""
ALL = frozenset(Route.model_fields)


@dataclass(frozen=True)
class SoundRoute:
    """A route at its place in the list. What is not among `sound` has its default."""

    index: int
    route: Route
    sound: frozenset[str] = ALL


def sound(model: type[BaseModel], raw: object) -> dict[str, Any]:
    """The values of `raw` that fit their fields; defaults where a field was left out."""
    if not isinstance(raw, dict):
        return {}
    try:
        whole = model.model_validate(raw)
    except ValidationError:
        return dict(_each(model, raw))
    return {name: _plain(getattr(whole, name)) for name in model.model_fields}


def sound_if_there(model: type[BaseModel], raw: object) -> dict[str, Any] | None:
    """The same; None where there is nothing."""
    return None if raw is None else sound(model, raw)


def part(values: Values, key: str) -> Values:
    """The values of a model within a model, however much of what is around it is sound."""
    found = values.get(key)
    if isinstance(found, BaseModel):
        return {name: getattr(found, name) for name in type(found).model_fields}
    return found if isinstance(found, Mapping) else {}


def routes_of(values: Values) -> list[SoundRoute]:
    """The routes of a service, each with its place."""
    return [
        SoundRoute(index, one) if isinstance(one, Route) else one
        for index, one in enumerate(values.get("routes", ()))
    ]


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
        elif name in _WITHIN:
            yield name, _WITHIN[name](raw[name])
        else:
            try:
                yield name, _adapter(field).validate_python(raw[name])
            except ValidationError:
                continue


def _routes(raw: object) -> tuple[SoundRoute, ...]:
    rows = raw if isinstance(raw, list) else []
    found = (_route(index, row) for index, row in enumerate(rows))
    return tuple(one for one in found if one is not None)


def _route(index: int, raw: object) -> SoundRoute | None:
    """None where not even the name is sound, without which nothing else says anything."""
    try:
        return SoundRoute(index, Route.model_validate(raw))
    except ValidationError as error:
        bad = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
    if not isinstance(raw, dict) or "hostname" in bad:
        return None
    kept = {name: value for name, value in raw.items() if name in ALL - bad}
    return SoundRoute(index, Route.model_validate(kept), ALL - bad)


def _keys(raw: object) -> dict[str, Values]:
    return {n: sound(TailnetKey, one) for n, one in raw.items()} if isinstance(raw, dict) else {}


_WITHIN: Mapping[str, Callable[[object], Any]] = {
    "template": lambda raw: sound(Template, raw),
    "routes": _routes,
    "connector": lambda raw: sound(Connector, raw),
    "keys": _keys,
}
"""What has parts of its own that rules look at, by the name of its field."""


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    annotated: Any = Annotated[field.annotation, field]
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return TypeAdapter(annotated)
    return TypeAdapter(annotated, config=ConfigDict(strict=True))
