"""The server's own `.env` beside ours: read for its keys, never written, never shown."""

import re

from . import files
from .document import Deploy
from .failure import StepFailed
from .host import Host

KEY = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")


def keys(text: str) -> set[str]:
    """The names that an environment file sets; comments do not count."""
    found: set[str] = set()
    quote = ""
    for line in re.split(r"[\r\n]", text):
        match = None if quote else KEY.match(line)
        if match is not None:
            found.add(match[1])
        if quote or match is not None:
            quote = _still_open(line[match.end() :] if match else line, quote)
    return found


def demand_distinct(document: Deploy, host: Host) -> None:
    """StepFailed that names each key that is in the server's `.env` and in ours."""
    path = host.at(f"{document.root}/.env")
    if path == host.at(document.env_file.path):
        raise StepFailed(
            f"{path}: is the server's own and never written",
            remedy="give `env_file` another path",
        )
    theirs = keys((files.read(path) or b"").decode(errors="replace"))
    if missing := [name for name in document.required_on_host if name not in theirs]:
        raise StepFailed(
            f"{', '.join(missing)}: required, and not set in {path} on the host",
            remedy="set them there, or in the stack file",
        )
    both = theirs & keys(document.env_file.text)
    if both:
        raise StepFailed(
            f"{', '.join(sorted(both))}: set in {path} on the host and in the stack file",
            remedy="keep each of them in one of the two",
        )


def _still_open(line: str, quote: str) -> str:
    """The quote that is open at the end of a line, empty where none is."""
    escaped = False
    for character in line:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote and character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
    return quote
