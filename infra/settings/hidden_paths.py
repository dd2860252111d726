"""Which paths a route leaves to those that are tried after it.

What is said here is certain: a pattern that looks at no end fits every longer path once it fits
its beginning. What cannot be told in this way counts as left over.
"""

import re
from collections.abc import Iterator

_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\\\]])*\]|.", re.DOTALL)
_TO_THE_END = re.compile(r"(?<!\\)(?:\((?:\?:)?([^()|\\\[\]?]*)\.\*\)\??|(\.)\+|\.\*)\$\Z")
_STARTS = frozenset(("^", r"\A"))
_ENDS = frozenset(("$", r"\z"))
_EDGES = frozenset((r"\b", r"\B"))
_LITERAL = re.compile(r"[\w/~@%&=:;,<>!\"'#` -]|\\[^\w]", re.ASCII)
_REPEATS_OR_LEAVES_OUT = frozenset("*?{+")


def takes_everything(path: str | None) -> bool:
    """Whether every path of a name fits."""
    return path is None or _fits_all_that_begin_with(path, "/") or _fits_any_end(path)


def leaves_nothing(first: str | None, second: str | None) -> bool:
    """Whether `first`, tried before, takes all that `second` is for."""
    if first == second or takes_everything(first):
        return True
    if first is None or second is None:
        return False
    return all(_holds(first, branch) for branch in _branches(second))


def _holds(first: str, branch: list[str]) -> bool:
    anchored = branch[:1] == ["^"]
    literal, rest = _beginning(branch[1:] if anchored else branch)
    if not literal:
        return False
    if anchored and rest == ["$"]:
        return _fits(first, literal)
    if anchored or not _pieces(first) & (_STARTS | _EDGES):
        return _fits_all_that_begin_with(first, literal)
    return False


def _fits_all_that_begin_with(path: str, beginning: str) -> bool:
    opened = _TO_THE_END.sub(r"\1\2", path)
    return not _pieces(opened) & (_ENDS | _EDGES) and _fits(opened, beginning)


def _fits_any_end(path: str) -> bool:
    """It may begin anywhere and needs nothing, so it fits at the end of whatever there is."""
    return not _pieces(path) & (_STARTS | _EDGES) and _fits(path, "")


def _fits(path: str, text: str) -> bool:
    return re.search(path, text, re.ASCII) is not None


def _pieces(path: str) -> frozenset[str]:
    return frozenset(_PIECE.findall(path))


def _branches(path: str) -> Iterator[list[str]]:
    depth = 0
    branch: list[str] = []
    for piece in _PIECE.findall(path):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if piece == "|" and not depth:
            yield branch
            branch = []
        else:
            branch.append(piece)
    yield branch


def _beginning(pieces: list[str]) -> tuple[str, list[str]]:
    """The text that a branch begins with, and what comes after it."""
    count = 0
    while count < len(pieces) and _LITERAL.fullmatch(pieces[count]):
        count += 1
    if pieces[count : count + 1] and pieces[count] in _REPEATS_OR_LEAVES_OUT:
        count -= pieces[count] != "+"
    literal = "".join(piece.removeprefix("\\") for piece in pieces[: max(count, 0)])
    return literal, pieces[max(count, 0) :]
