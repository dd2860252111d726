"""Texts as a Go program writes them: the real plugin is one, and users search for its words."""

import errno
import os
import unicodedata
from pathlib import Path

_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}
_SIGNALS = {
    "HUP": 1,
    "INT": 2,
    "QUIT": 3,
    "ILL": 4,
    "ABRT": 6,
    "FPE": 8,
    "KILL": 9,
    "SEGV": 11,
    "PIPE": 13,
    "ALRM": 14,
    "TERM": 15,
}


def quoted(text: str) -> str:
    """`text` in double quotes, escaped as Go's %q does."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def errno_text(error: OSError) -> str:
    """The operating system's words, in lower case."""
    if error.errno is None:
        return str(error)
    text = os.strerror(error.errno)
    return text[:1].lower() + text[1:]


def open_failed(path: str | Path, error: OSError) -> str:
    """What opening the local file `path` says."""
    return f"open {path}: {errno_text(error)}"


def dial_failed(host: str, port: int, error: OSError) -> str:
    """What connecting to an address says."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return f"dial tcp {address}: i/o timeout"
    return f"dial tcp {address}: connect: {errno_text(error)}"


def lookup_failed(host: str, *, missing: bool) -> str:
    """What resolving a name says; Go names the server that it asked."""
    reason = "no such host" if missing else "server misbehaving"
    return f"dial tcp: lookup {host}{_name_server()}: {reason}"


def exit_text(status: int | None, signal: str, reason: str) -> str:
    """How a remote process ended."""
    if status is None and not signal:
        return "wait: remote command exited without exit status or exit signal"
    if status is None:
        status = 128 + _SIGNALS.get(signal, 0)
    text = f"Process exited with status {status}"
    if signal:
        text += f" from signal {signal}"
    if reason:
        text += f". Reason was: {reason}"
    return text


def _escaped(char: str) -> str:
    code = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char == " " or unicodedata.category(char)[0] in "LMNPS":
        return char
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _name_server() -> str:
    configuration = Path("/etc/resolv.conf")
    if not configuration.is_file():
        return ""
    for line in configuration.read_text(errors="replace").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            address = f"[{words[1]}]" if ":" in words[1] else words[1]
            return f" on {address}:53"
    return ""
