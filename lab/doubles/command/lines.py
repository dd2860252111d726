"""Cuts output into the lines that are shown while a command runs. Pure."""

LIMIT = 65_536
"""Bytes that the real plugin's scanner holds; it stops for ever at a line that needs more."""


class LineTooLong(Exception):  # noqa: N818 - a fact about the output
    """A line at which the real plugin hangs."""


class Lines:
    """Feed it output as it comes; it gives the lines as they become whole."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes. Raises LineTooLong."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if any(len(line) >= LIMIT for line in whole) or len(self._rest) > LIMIT:
            raise LineTooLong
        return [_shown(line) for line in whole]

    def last(self) -> list[str]:
        """What came after the last line break, if anything."""
        return [_shown(self._rest)] if self._rest else []


def _shown(line: bytes) -> str:
    return line.removesuffix(b"\r").decode(errors="replace")
