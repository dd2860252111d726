"""From a plan to a request, and from an answer of the HTTP API to a state. Pure."""

from collections.abc import Iterable
from typing import Any

from lab.doubles.bridged.attributes import Attribute, Many, Nested, Tf, Type
from lab.doubles.bridged.convert import from_json, to_json
from lab.doubles.bridged.plan import same
from lab.doubles.values import UNKNOWN, Value

Json = dict[str, Any]


def body_of(attributes: tuple[Attribute, ...], planned: Tf) -> Json:
    """Everything that the plan knows, as the API has it."""
    body: Json = to_json(Nested(attributes), planned)
    return body


def changes_of(attributes: tuple[Attribute, ...], prior: Tf, planned: Tf) -> Json:
    """Only what the plan changes."""
    changed = tuple(
        a for a in attributes if not same(a.type, prior.get(a.name), planned.get(a.name))
    )
    return body_of(changed, planned)


def state_after(attributes: Iterable[Attribute], planned: Tf, answer: Json) -> Tf:
    """The plan, with what only the API knows from its answer; what that leaves out stays."""
    return {a.name: _after(a, planned.get(a.name), answer) for a in attributes}


def state_read(attributes: Iterable[Attribute], state: Tf, answer: Json) -> Tf:
    """What the API answers, with what it never answers as the state had it."""
    return {
        a.name: from_json(a.type, answer.get(a.field)) if a.answered else state.get(a.name)
        for a in attributes
    }


def _after(attribute: Attribute, planned: Value, answer: Json) -> Value:
    said = answer.get(attribute.field)
    only_told = attribute.computed and not attribute.optional and attribute.field in answer
    if planned == UNKNOWN or only_told:
        return from_json(attribute.type, said)
    return _filled(attribute.type, planned, said)


def _filled(type_: Type, planned: Value, said: object) -> Value:
    match type_:
        case Nested(attributes=attributes) if isinstance(planned, dict):
            return state_after(attributes, planned, said if isinstance(said, dict) else {})
        case Many(element=element) if isinstance(planned, list):
            answers = said if isinstance(said, list) else []
            return [
                _filled(element, each, answers[index] if index < len(answers) else None)
                for index, each in enumerate(planned)
            ]
        case _:
            return planned
