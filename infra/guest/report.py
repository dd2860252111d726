"""What leaves the host: short lines of progress, with every secret masked."""

import base64
import json
import sys
import time
import urllib.parse
from typing import TextIO

LONGEST_LINE = 400
MASK = "[secret]"


class Report:
    """Writes progress; knows the secrets, and masks them in whatever is shown."""

    def __init__(self, secrets: list[str], stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shapes = _shapes(secrets)
        self._began = time.monotonic()
        self._listened_to = True

    def say(self, text: str) -> None:
        """One line of progress, cut to a length that every transport can carry.

        An engine that is gone hears nothing; the step goes on to its end all the same.
        """
        if not self._listened_to:
            return
        seconds = time.monotonic() - self._began
        line = self.mask(text.replace("\n", " "))
        try:
            print(f"[{seconds:5.1f}s] {line[:LONGEST_LINE]}", file=self._stream, flush=True)
        except OSError:
            self._listened_to = False

    def fail(self, text: str) -> None:
        """The message of the end, each of its lines cut to the same length."""
        if not self._listened_to:
            return
        try:
            for line in self.mask(text).splitlines():
                print(line[:LONGEST_LINE], file=self._stream)
            self._stream.flush()
        except OSError:
            self._listened_to = False

    def mask(self, text: str) -> str:
        """The text without any secret, in clear, base64, JSON or URL form."""
        for shape in self._shapes:
            text = text.replace(shape, MASK)
        return text


def _shapes(secrets: list[str]) -> list[str]:
    shapes: set[str] = set()
    for secret in secrets:
        raw = secret.encode()
        shapes |= {
            secret,
            *secret.splitlines(),
            base64.b64encode(raw).decode().rstrip("="),
            base64.urlsafe_b64encode(raw).decode().rstrip("="),
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            repr(secret)[1:-1],
            urllib.parse.quote(secret, safe=""),
            urllib.parse.quote_plus(secret),
        }
    return sorted(shapes - {""}, key=len, reverse=True)
