"""Log lines in the form of cloudflared's: time, level, words, then key=value. Standard library."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime

LEVELS = ("debug", "info", "warn", "error", "fatal")
_SHOWN = {"debug": "DBG", "info": "INF", "warn": "WRN", "error": "ERR", "fatal": "FTL"}


class Log:
    """Writes lines of at least `level` to `write`, standard error for one."""

    def __init__(self, level: str = "info", write: Callable[[str], object] | None = None) -> None:
        self._least = LEVELS.index(level)
        self._write = write or _to_stderr

    def debug(self, text: str, **facts: object) -> None:
        self._line("debug", text, facts)

    def info(self, text: str, **facts: object) -> None:
        self._line("info", text, facts)

    def warn(self, text: str, **facts: object) -> None:
        self._line("warn", text, facts)

    def error(self, text: str, **facts: object) -> None:
        self._line("error", text, facts)

    def _line(self, level: str, text: str, facts: dict[str, object]) -> None:
        if LEVELS.index(level) < self._least:
            return
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        pairs = [f"{key}={_value(value)}" for key, value in facts.items()]
        self._write(" ".join([time, _SHOWN[level], *([text] if text else []), *pairs]) + "\n")


def _value(value: object) -> str:
    text = str(value)
    plain = text and not any(c in ' "=\\' or not c.isprintable() for c in text)
    return text if plain else json.dumps(text)


def _to_stderr(line: str) -> None:
    sys.stderr.write(line)
    sys.stderr.flush()
