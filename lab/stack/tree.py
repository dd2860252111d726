"""A YAML document with the place of each value in its text: for changing values in place."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from lab.stack.tabs import parsed

_STRING = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Scalar:
    """A value at `text[start:end]`, anchor and tag included; `style` is None where it is plain."""

    value: str
    start: int
    end: int
    style: str | None
    is_string: bool


@dataclass(frozen=True)
class Alias:
    """`*name` at `text[start:end]`, and what it stands for."""

    target: "Node"
    start: int
    end: int


@dataclass(eq=False)
class Mapping:
    """`end` of one in block style is where the next thing after it, comments passed, begins."""

    start: int
    end: int
    column: int
    flow: bool
    entries: list[tuple["Node", "Node"]] = field(default_factory=list)

    def get(self, key: str) -> "Node | None":
        """The value of `key`, an alias as it stands."""
        for entry, value in self.entries:
            name = resolve(entry)
            if isinstance(name, Scalar) and name.value == key:
                return value
        return None


@dataclass(frozen=True)
class Sequence:
    """A list."""

    items: list["Node"] = field(default_factory=list)


Node = Scalar | Alias | Mapping | Sequence


def resolve(node: Node) -> Node:
    """What an alias stands for; anything else is itself."""
    return resolve(node.target) if isinstance(node, Alias) else node


def read_tree(text: str) -> Node | None:
    """The first document of `text`, None where there is none; raises yaml.YAMLError."""
    return parsed(text, lambda t: _Reader(yaml.parse(t, Loader=yaml.SafeLoader)).document())


def mappings(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Mapping]]:
    """Every mapping below `node`, where it is written, with the keys that lead there."""
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from mappings(item, (*path, str(index)))
    elif isinstance(node, Mapping):
        yield path, node
        for key, value in node.entries:
            name = resolve(key)
            step = name.value if isinstance(name, Scalar) else "?"
            yield from mappings(key, (*path, step))
            yield from mappings(value, (*path, step))


class _Reader:
    """Builds the tree from the parser's events, which know places that nodes have lost."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}

    def document(self) -> Node | None:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        return self._node(next(self._events))

    def _node(self, event: yaml.Event) -> Node:
        start, end = _index(event.start_mark), _index(event.end_mark)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise yaml.YAMLError(f"undefined alias {event.anchor}")
            return Alias(self._anchors[event.anchor], start, end)
        if isinstance(event, yaml.ScalarEvent):
            scalar = Scalar(event.value, start, end, event.style, _is_string(event))
            return self._anchored(event, scalar)
        if isinstance(event, yaml.SequenceStartEvent):
            sequence = Sequence()
            # Known before its items are: one of them may refer back to it.
            self._anchored(event, sequence)
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                sequence.items.append(self._node(item))
            return sequence
        if not isinstance(event, yaml.MappingStartEvent):
            raise yaml.YAMLError(f"no value: {event}")
        column = event.start_mark.column if event.start_mark else 0
        mapping = Mapping(start, end, column, flow=bool(event.flow_style))
        self._anchored(event, mapping)
        while not isinstance(entry := next(self._events), yaml.MappingEndEvent):
            mapping.entries.append((self._node(entry), self._node(next(self._events))))
        mapping.end = _index(entry.end_mark)
        return mapping

    def _anchored(self, event: yaml.NodeEvent, node: Node) -> Node:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node


def _index(mark: object) -> int:
    if not isinstance(mark, yaml.Mark):
        raise TypeError(f"the parser gave no place: {mark!r}")
    return mark.index


def _is_string(event: yaml.ScalarEvent) -> bool:
    if event.tag not in {None, "!"}:
        return bool(event.tag == _STRING)
    plain, _ = event.implicit
    candidates = yaml.SafeLoader.yaml_implicit_resolvers.get(event.value[:1], [])
    return not (plain and any(pattern.match(event.value) for _, pattern in candidates))


def at(node: Node | None, *keys: str) -> Node | None:
    """The node below `keys`, an alias as it stands; None where there is none."""
    for key in keys:
        mapping = resolve(node) if node is not None else None
        node = mapping.get(key) if isinstance(mapping, Mapping) else None
    return node


def text_at(node: Node | None, *keys: str) -> str | None:
    """The text below `keys`; None where there is none, or something else."""
    found = at(node, *keys)
    scalar = resolve(found) if found is not None else None
    if isinstance(scalar, Scalar) and scalar.is_string and scalar.value:
        return scalar.value
    return None
