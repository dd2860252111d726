"""The server's own `.env` beside ours: read for its keys, never written, never shown."""

import re
from collections.abc import Collection

from . import files
from .document import Deploy
from .failure import StepFailed
from .host import Host

KEY = re.compile(r"^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=")
EXPORT = re.compile(r"^\s*export\s+([A-Za-z_][A-Za-z0-9_]*)\s*=", re.MULTILINE)


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


def demand_ours(document: Deploy, placed: Collection[str], host: Host) -> None:
    """StepFailed where somebody else's file has the place of ours; `placed` are ours for sure."""
    path = host.at(document.env_file.path)
    if document.env_file.path in placed and not path.is_symlink():
        return
    if not path.exists() and not path.is_symlink():
        return
    mark = f"# berth: {document.owner}\n".encode()
    if path.is_symlink() or not path.is_file() or not path.read_bytes().startswith(mark):
        raise StepFailed(
            f"{path}: is on the host already and was not made by this service",
            remedy="give the service another `env_file`, or move that one away",
        )


def demand_distinct(document: Deploy, host: Host) -> None:
    """StepFailed that names each key that is in the server's `.env` and in ours."""
    path = host.at(f"{document.root}/.env")
    if path == host.at(document.env_file.path):
        raise StepFailed(
            f"{path}: is the server's own and never written",
            remedy="give `env_file` another path",
        )
    text = (files.read(path) or b"").decode(errors="replace")
    theirs = keys(text)
    if missing := [name for name in document.required_on_host if name not in theirs]:
        if exported := [name for name in missing if name in EXPORT.findall(text)]:
            raise StepFailed(
                f"{', '.join(exported)}: in {path} behind `export`, where systemd does not read it",
                remedy="write NAME=value there, without `export`",
            )
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
