"""What a change would make of a state: Terraform's rules for planning. Pure."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lab.doubles.bridged.attributes import Attribute, Many, Nested, Replace, Tf, Type
from lab.doubles.values import UNKNOWN, Unknown, Value


@dataclass
class Plan:
    """The state that is to be, and the attributes whose change takes a new resource."""

    prior: Tf | None
    config: Tf
    planned: Tf
    replaces: set[str] = field(default_factory=set)

    def changed(self, attributes: Iterable[Attribute]) -> list[Attribute]:
        """The attributes that differ from the state."""
        prior = self.prior or {}
        return [
            a for a in attributes if not same(a.type, prior.get(a.name), self.planned.get(a.name))
        ]


Modify = Callable[[Plan], None]
"""A resource's own say in a plan; changes it in place."""


def make_plan(
    attributes: tuple[Attribute, ...], prior: Tf | None, config: Tf, modify: Modify
) -> Plan:
    """Plan from the state `prior` (None: nothing is there) to what `config` states."""
    planned = _proposed(attributes, prior, config)
    _apply_defaults(attributes, config, planned)
    plan = Plan(prior, config, planned)
    if prior is None or plan.changed(attributes):
        # Anything that the provider sets may come out otherwise, once something changes.
        _mark_unknown(attributes, config, planned)
    for attribute in attributes:
        _modify(attribute, plan)
    modify(plan)
    return plan


def same(type_: Type, left: Value, right: Value) -> bool:
    """Whether two values are equal; an unknown one equals nothing."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return False
    if left is None or right is None:
        return left is right
    match type_:
        case Many(element=element, unordered=unordered) if isinstance(left, list) and isinstance(
            right, list
        ):
            if unordered:
                left, right = sorted(left, key=_order), sorted(right, key=_order)
            return len(left) == len(right) and all(
                same(element, a, b) for a, b in zip(left, right, strict=True)
            )
        case Nested(attributes=attributes) if isinstance(left, dict) and isinstance(right, dict):
            return all(same(a.type, left.get(a.name), right.get(a.name)) for a in attributes)
        case _:
            return left == right


def _proposed(attributes: Iterable[Attribute], prior: Tf | None, config: Tf) -> Tf:
    before = prior or {}
    return {a.name: _propose(a, before.get(a.name), config.get(a.name)) for a in attributes}


def _propose(attribute: Attribute, prior: Value, config: Value) -> Value:
    if config is None:
        return prior if attribute.computed else None
    match attribute.type:
        case Nested(attributes=inner) if isinstance(config, dict):
            return _proposed(inner, prior if isinstance(prior, dict) else None, config)
        case Many(element=Nested(attributes=inner)) if isinstance(config, list):
            before = prior if isinstance(prior, list) else []
            return [
                _proposed(inner, _at(before, index), each) if isinstance(each, dict) else each
                for index, each in enumerate(config)
            ]
        case _:
            return config


def _at(items: list[Value], index: int) -> Tf | None:
    item = items[index] if index < len(items) else None
    return item if isinstance(item, dict) else None


def _apply_defaults(attributes: Iterable[Attribute], config: Tf, planned: Tf) -> None:
    for attribute in attributes:
        said = config.get(attribute.name)
        if said is None and attribute.default is not None:
            planned[attribute.name] = attribute.default
        for inner, inner_config, inner_planned in _parts(
            attribute, said, planned.get(attribute.name)
        ):
            _apply_defaults(inner, inner_config, inner_planned)


def _mark_unknown(attributes: Iterable[Attribute], config: Tf, planned: Tf) -> None:
    for attribute in attributes:
        said = config.get(attribute.name)
        if said is None and attribute.computed and attribute.default is None:
            planned[attribute.name] = UNKNOWN
        for inner, inner_config, inner_planned in _parts(
            attribute, said, planned.get(attribute.name)
        ):
            _mark_unknown(inner, inner_config, inner_planned)


def _parts(
    attribute: Attribute, config: Value, planned: Value
) -> Iterable[tuple[tuple[Attribute, ...], Tf, Tf]]:
    match attribute.type:
        case Nested(attributes=inner) if isinstance(config, dict) and isinstance(planned, dict):
            yield inner, config, planned
        case Many(element=Nested(attributes=inner)) if isinstance(config, list):
            for said, made in zip(
                config, planned if isinstance(planned, list) else [], strict=False
            ):
                if isinstance(said, dict) and isinstance(made, dict):
                    yield inner, said, made
        case _:
            return


def _modify(attribute: Attribute, plan: Plan) -> None:
    if plan.prior is None:
        return
    name = attribute.name
    before, config = plan.prior.get(name), plan.config.get(name)
    if attribute.keeps and plan.planned[name] == UNKNOWN and config is None:
        plan.planned[name] = before
    costs = attribute.replaces is Replace.ALWAYS or (
        attribute.replaces is Replace.IF_SAID and config is not None
    )
    if costs and not same(attribute.type, before, plan.planned[name]):
        plan.replaces.add(name)


def _order(value: Value) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
