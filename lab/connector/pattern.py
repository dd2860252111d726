"""Patterns of paths as cloudflared reads them (RE2), made into Python's. Pure."""

import re

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_POSIX = re.compile(rf"\[:({'|'.join(_CLASSES)}):\]")
_FOREIGN = re.compile(r"\(\?<?[=!]|\(\?>|\(\?\(|\(\?P=|\\[1-9Z]|[*+?}]\+")
"""What only Python's patterns have: looking around, going back, giving nothing back."""
_OTHERWISE = re.compile(
    r"""
      \\. | \[\^?\]?(?:\\.|[^\\\]])*\]
    | (?P<name>\(\?<)(?=\w)
    | \(\?(?P<on>[a-zA-Z]*)(?P<off>(?:-[a-zA-Z]+)?)(?P<after>[:)])
    | (?P<plain>\{(?=0\d|\d+,0\d)(?=\d+,?\d*\}))
    """,
    re.VERBOSE | re.DOTALL,
)


def compiled(text: str) -> re.Pattern[str]:
    """Raises re.error for what is no pattern there."""
    if found := _FOREIGN.search(text.replace(r"\\", "")):
        raise re.error(f"invalid or unsupported Perl syntax: `{found[0]}`")
    plain = _OTHERWISE.sub(_spelled, _POSIX.sub(lambda found: _CLASSES[found[1]], text))
    return re.compile(re.sub(r"(?<!\\)((?:\\\\)*)\\z", r"\1\\Z", plain), re.ASCII)


def _spelled(found: re.Match[str]) -> str:
    """What RE2 writes otherwise; U says how much a repeat takes, which decides no fit."""
    if found["name"]:
        return "(?P<"
    if found["plain"]:
        return r"\{"
    if not found["after"] or "U" not in found["on"] + found["off"]:
        return found[0]
    on, off = found["on"].replace("U", ""), found["off"].replace("U", "").removesuffix("-")
    return f"(?{on}{off}{found['after']}" if on or off or found["after"] == ":" else ""
