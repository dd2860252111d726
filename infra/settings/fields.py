"""What the models say of a place in the stack file."""

from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from infra.settings.models import StackFile
from infra.settings.scalars import SecretName

_SECRET_NAME = get_args(SecretName)[1]


def model_at(loc: tuple[Any, ...]) -> type[BaseModel] | None:
    """The model that a path of the stack file leads to."""
    found = _annotation_at(loc)
    return found if _is_model(found) else None


def field_at(loc: tuple[Any, ...]) -> FieldInfo | None:
    """The field that a path leads to, or whose list it leads into."""
    while loc and isinstance(loc[-1], int):
        loc = loc[:-1]
    model = model_at(loc[:-1]) if loc else None
    return model.model_fields.get(str(loc[-1])) if model else None


def is_known(loc: tuple[Any, ...]) -> bool:
    """Whether anything may stand there at all."""
    return field_at(loc) is not None or _annotation_at(loc) is not None


def takes_secret_name(loc: tuple[Any, ...]) -> bool:
    """Whether an entry of berth:secrets can be named there."""
    found = _annotation_at(loc)
    field = field_at(loc)
    inside = [found, *get_args(found), *(field.metadata if field else ())]
    return _SECRET_NAME in [m for part in inside for m in (part, *get_args(part))]


def _annotation_at(loc: tuple[Any, ...]) -> Any:  # noqa: ANN401 - types have no type of their own
    found: Any = StackFile
    for part in loc:
        if _is_model(found):
            field = found.model_fields.get(str(part))
            found = _bare(field.annotation) if field else None
        elif isinstance(part, int):
            found = get_args(found)[0] if get_origin(found) is tuple else None
        else:
            found = _bare(get_args(found)[1]) if get_origin(found) is dict else None
    return found


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - types have no type of their own
    """The model, or mapping of models, within an annotation that may leave it out."""
    inside = [part for part in get_args(annotation) if part is not type(None)]
    optional = type(None) in get_args(annotation)
    return inside[0] if optional and len(inside) == 1 else annotation
