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


def compiled(text: str) -> re.Pattern[str]:
    """Raises re.error for what is no pattern there."""
    if found := _FOREIGN.search(text.replace(r"\\", "")):
        raise re.error(f"invalid or unsupported Perl syntax: `{found[0]}`")
    plain = _POSIX.sub(lambda found: _CLASSES[found[1]], text)
    return re.compile(re.sub(r"(?<!\\)((?:\\\\)*)\\z", r"\1\\Z", plain), re.ASCII)
