"""The paths of routes: patterns as cloudflared reads them (RE2), as far as Python's read the same.

The gate asks by them, too, so what either of the two does not know, or takes for something else, is
refused; what only its spelling keeps from being read by both is spelled otherwise.
"""

import re
import warnings
from collections.abc import Iterator

from infra.settings.checks import SaidError
from infra.settings.pattern_repeats import MOST_REPEATS, most_repeated

_TOKEN = re.compile(
    r"""
      \\(?P<escape>.)
    | \[\^?\]?(?P<set>(?:\\.|[^\\\]])*)\]
    | \(\?(?P<opens>P?<)(?![=!])(?P<name>[^>]*)
    | \(\?(?P<group>P[=>]|<?[=!]|[>(\#])
    | \(\?(?P<flags>[A-Za-z-]*)(?P<after>[:)])
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
_FLAGS_FIRST = re.compile(r"(?:\(\?[A-Za-z]*\))*")
_GLOB = re.compile(r"\^?/?\*+\$?")


def pattern(text: str) -> str:
    """`text` as both read it; ValueError or SaidError with what keeps it from being a pattern."""
    if not text or not text.isprintable():
        raise ValueError(text)
    _ensure_no_glob(text)
    for what in _foreign(text):
        raise SaidError(f"{what}, which cloudflared's patterns (RE2) cannot")
    spelled = _TOKEN.sub(_spelled, text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(spelled)
    except re.error as error:
        raise SaidError(f"is no regular expression: {error.msg} at position {error.pos}") from None
    except (OverflowError, RecursionError):
        raise SaidError("is too much for a regular expression") from None
    if most_repeated(spelled) > MOST_REPEATS:
        raise SaidError(
            f"repeats more than {MOST_REPEATS} times, those within others multiplied, which "
            "cloudflared's patterns (RE2) cannot"
        )
    return spelled


def _ensure_no_glob(text: str) -> None:
    if not _GLOB.fullmatch(text):
        return
    if text == "/*":
        raise SaidError(
            "is a regular expression, not a glob: /* matches every path; leave path out or write ^/"
        )
    raise SaidError(
        "is a regular expression, not a glob; leave path out for every path, or write ^/"
    )


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
        elif token["opens"]:
            yield from _name(token["name"])
        elif group in _GROUPS:
            yield _GROUPS[group]
        elif token["after"]:
            if unknown := set(token["flags"]) - set("imsU-"):
                yield f"has the flag {min(unknown)}"
            elif token["after"] == ")":
                _ensure_flags_are_first(text, token)
        elif token["greedy"] or token["greedily"]:
            yield "gives nothing back"
        elif token["least"] is not None:
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


def _name(name: str) -> Iterator[str]:
    if not re.fullmatch(r"\w+", name, re.ASCII):
        yield "names a group with other characters than A-Z, a-z, 0-9 and _"
    elif name[0].isdigit():
        raise SaidError(
            "names a group with a digit first, which is not understood everywhere here; begin it "
            "with a letter, or leave the name out"
        )


def _ensure_flags_are_first(text: str, flags: re.Match[str]) -> None:
    if text[flags.end() : flags.end() + 1] in ("*", "+", "?", "{"):
        raise SaidError("repeats what sets flags; take the repeat out")
    kept = flags["flags"].replace("U", "")
    if "-" in kept or (kept and not _FLAGS_FIRST.fullmatch(text, 0, flags.start())):
        raise SaidError(
            "sets flags after its beginning, which is not understood everywhere here; write them "
            "first, such as (?i)^/api, or around a part: (?i:...)"
        )


def _repeat(least: str, more: str, most: str) -> Iterator[str]:
    if more and not least:
        yield f"leaves out how often at least (write {{0,{most}}})"
    elif any(len(times) > 1 and times[0] == "0" for times in (least, most)):
        meant = more.join(times.lstrip("0") or times[:1] for times in (least, most))
        raise SaidError(
            f"writes {{{least}{more}{most}}}, which cloudflared takes for plain text; "
            f"write {{{meant}}}"
        )
    elif any(len(times) > 4 or int(times or 0) > MOST_REPEATS for times in (least, most)):
        yield f"repeats more than {MOST_REPEATS} times"


def _spelled(token: re.Match[str]) -> str:
    """`(?P<name>` for `(?<name>`, and nothing of U: how much a repeat takes decides no fit."""
    if token["opens"] == "<":
        return f"(?P<{token['name']}"
    on, sign, off = (token["flags"] or "").partition("-")
    if "U" not in on + off or (sign and not off):
        return token[0]
    on, off = on.replace("U", ""), off.replace("U", "")
    kept = f"{on}-{off}" if off else on
    return f"(?{kept}{token['after']}" if kept or token["after"] == ":" else ""
