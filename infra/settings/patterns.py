"""The paths of routes: patterns as cloudflared reads them (RE2), as far as Python's read the same.

The gate asks by them, too, so what either of the two does not know, or takes for something else, is
refused.
"""

import re
import warnings
from collections.abc import Iterator

from infra.settings.checks import SaidError

MOST_REPEATS = 1000
_TOKEN = re.compile(
    r"""
      \\(?P<escape>.)
    | \[\^?\]?(?P<set>(?:\\.|[^\\\]])*)\]
    | \(\?(?P<group>P[=<>]|<?[=!]|[>(\#]|[A-Za-z-]*(?=[:)]))
    | [*+?](?P<greedy>\+)
    | \{(?P<least>\d*)(?P<more>,?)(?P<most>\d*)\}(?P<greedily>\+?)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = frozenset("AbBdDsSwWafnrtvx0")
_OF_CLOUDFLARED_ALONE = frozenset("zpPQEC")
_GROUPS = {
    **dict.fromkeys(("=", "!", "<=", "<!"), "looks ahead or behind"),
    "P=": "refers back to a group",
    ">": "gives nothing back",
    "(": "depends on a group",
    "#": "has a comment in it",
}
_EVERYTHING = re.compile(r"\^?/?(?:\.\*\$?)?|\^?\.(?:\+\$?)?|\.?\$")


def pattern(text: str) -> str:
    """`text`, where it is a pattern; ValueError or SaidError with what keeps it from being one."""
    if not text or not text.isprintable():
        raise ValueError(text)
    for what in _foreign(text):
        raise SaidError(f"{what}, which cloudflared's patterns (RE2) cannot")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(text)
    except re.error as error:
        raise SaidError(f"is no regular expression: {error.msg} at position {error.pos}") from None
    except (OverflowError, RecursionError):
        raise SaidError("is too much for a regular expression") from None
    return text


def takes_everything(path: str | None) -> bool:
    """Whether it is plain that every path of a name fits."""
    return path is None or _EVERYTHING.fullmatch(path) is not None


def _foreign(text: str) -> Iterator[str]:
    for token in _TOKEN.finditer(text):
        escape, within, group = token["escape"], token["set"], token["group"]
        if escape is not None:
            yield from _escape(escape)
        elif within is not None:
            if "[:" in within:
                raise SaidError(
                    "has a [:class:], which not everybody reads as such; write its characters, "
                    "such as [A-Za-z]"
                )
            for inner in re.findall(r"\\(.)", within, re.DOTALL):
                yield from ["has \\b in a set"] if inner == "b" else _escape(inner)
        elif group is not None:
            if group in _GROUPS:
                yield _GROUPS[group]
            elif group[:1] != "P" and (unknown := set(group) - set("ims-")):
                yield f"has the flag {min(unknown)}"
        elif token["greedy"] or token["greedily"]:
            yield "gives nothing back"
        else:
            yield from _repeat(token["least"], token["more"], token["most"])


def _escape(character: str) -> Iterator[str]:
    if character in _OF_CLOUDFLARED_ALONE:
        raise SaidError(
            f"has \\{character}, which is not understood everywhere here; write out what it means, "
            "such as [A-Za-z]"
        )
    if character in "123456789":
        yield "refers back to a group"
    elif character == "Z":
        yield "says \\Z for its end instead of $"
    elif not character.isascii() or (character.isalnum() and character not in _ESCAPES):
        yield f"has \\{character}"


def _repeat(least: str, more: str, most: str) -> Iterator[str]:
    if more and not least:
        yield f"leaves out how often at least (write {{0,{most}}})"
    elif any(len(times) > 4 or int(times or 0) > MOST_REPEATS for times in (least, most)):
        yield f"repeats more than {MOST_REPEATS} times"
