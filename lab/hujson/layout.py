"""How Tailscale would lay a policy out: two texts with the same layout are no change. Pure."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lab.hujson.parse import Node

_WIDEST = 80
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_PARTS = re.compile(r"//[^\n]*|/\*.*?\*/|[ \t\r\n]+", re.DOTALL)


@dataclass(frozen=True)
class _Size:
    """How long the first and the last line of something are, were it on as few as it can be."""

    first: int
    last: int
    lines: bool = False


def layout(node: Node) -> Any:  # noqa: ANN401 - nested lists of texts
    """Values, comments, blank lines, and what has a line of its own: comparable, no text."""
    open_ones: set[int] = set()
    _measure(node, open_ones)
    # Without comments and last commas it is JSON, and stays it: no last commas then.
    commas = bool(open_ones) and not _is_standard(node)
    ends = [_lines(node.before).lstrip("\n"), _lines(node.after).rstrip("\n")]
    return [commas, ends, _shape(node, open_ones)]


def _shape(node: Node, open_ones: set[int]) -> Any:  # noqa: ANN401
    if not node.kind:
        return json.loads(node.text) if node.text.startswith('"') else [node.text]
    is_open = id(node) in open_ones
    inner = [
        [_before(node, index, is_open=is_open), _shape(each, open_ones), _after(each.after)]
        for index, each in enumerate(node.inner)
    ]
    end = _lines(_said(node.end)) if node.inner else _after(node.end)
    return [node.kind, is_open, inner, re.sub(r"\n+$", "\n", end)]


def _is_standard(node: Node) -> bool:
    if any(_COMMENT.search(text) for text in (node.before, node.after, node.end)):
        return False
    return not node.trailing_comma and all(map(_is_standard, node.inner))


def _before(node: Node, index: int, *, is_open: bool) -> str:
    """What stands before a part of an object or a list."""
    kept = _lines(node.inner[index].before)
    if node.kind == "{" and index % 2:
        return re.sub(r"^\n+|\n+$", "\n", kept)
    if is_open and "\n" not in kept:
        kept = f"\n{kept}"
    return re.sub(r"^\n+", "\n", kept) if index == 0 else kept


def _after(text: str) -> str:
    """What stands after a value."""
    return re.sub(r"^\n+|\n+$", "\n", _lines(_said(text)))


def _said(text: str) -> str:
    """What stands after a value, for what it is worth: blanks alone are nothing."""
    return text if _COMMENT.search(text) else ""


def _lines(text: str) -> str:
    """Comments, and the line breaks between them: never more than one blank line."""
    kept = ""
    for part in _PARTS.findall(text):
        kept += part.strip() if part.startswith("/") else "\n" * min(part.count("\n"), 2)
    return kept


def _measure(node: Node, open_ones: set[int]) -> _Size:
    """The size of a value; objects and lists that get a line for each part go to `open_ones`."""
    if not node.kind:
        return _Size(len(node.text.encode()), len(node.text.encode()))
    is_open, lengths, length = _has_line_break(node), list[int](), 1
    for size in _sizes(node, open_ones):
        length += size.first
        if size.lines:
            lengths.append(length)
            length = size.last
    lengths.append(length + 1)
    if is_open or max(lengths) > _WIDEST:
        open_ones.add(id(node))
        return _Size(1, 1, lines=True)
    return _Size(lengths[0], lengths[-1], len(lengths) > 1)


def _sizes(node: Node, open_ones: set[int]) -> Iterable[_Size]:
    for each in node.inner:
        yield _between(each.before)
        yield _measure(each, open_ones)
        yield _between(_said(each.after))
        # A colon or a comma, with a blank.
        yield _Size(2, 2)


def _has_line_break(node: Node) -> bool:
    begins = node.inner[::2] if node.kind == "{" else node.inner
    if not node.inner and not _COMMENT.search(node.end):
        return False
    edges = [each.before for each in begins] + [_said(each.after) for each in node.inner[-1:]]
    return any("\n" in text for text in (*edges, node.end))


def _between(text: str) -> _Size:
    lines = [_COMMENT.findall(line) for line in text.split("\n")]
    widths = [sum(len(c) + 1 for c in line) + bool(line) for line in lines]
    return _Size(widths[0], widths[-1], len(widths) > 1)
