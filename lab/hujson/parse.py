"""From a text to its values, with what stands between them. Pure.

Faults are told as Tailscale's reader of this form tells them: users search for its words.
"""

import json
from dataclasses import dataclass, field

_BLANK = b" \t\r\n"
_END = "unexpected EOF"
_SEPARATORS = ("\u2028", "\u2029")
_LITERAL = frozenset(b"-+.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class HujsonError(ValueError):
    """A text that is not of this form."""


@dataclass
class Node:
    """A value. `before`, `after` and `end` are blanks and comments: around it, and before the
    bracket that closes it.

    `kind` is `{`, `[`, or empty for a literal, whose text is `text`. An object has names and
    values in turn.
    """

    kind: str = ""
    text: str = ""
    inner: list["Node"] = field(default_factory=list)
    before: str = ""
    after: str = ""
    end: str = ""
    trailing_comma: bool = False


def parse(text: str) -> Node:
    """The value that `text` is. Raises HujsonError."""
    reader = _Reader(text.encode("utf-8", "surrogateescape"))
    try:
        node = reader.value()
        if reader.at < len(reader.data):
            raise reader.unexpected("after top-level value")
    except _Fault as fault:
        raise HujsonError(f"hujson: {reader.place()}: {fault}") from None
    return node


class _Fault(Exception):  # noqa: N818 - becomes a HujsonError with its place
    pass


class _Closed(_Fault):
    """A bracket that closes, where a value could begin; `before` is what stands before it."""

    def __init__(self, bracket: str, before: str) -> None:
        super().__init__(f"invalid character '{bracket}' at start of value")
        self.bracket = bracket
        self.before = before


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def place(self) -> str:
        """Where it is now, as people count."""
        done = self.data[: self.at]
        line, column = done.count(b"\n") + 1, self.at - done.rfind(b"\n")
        return f"line {line}, column {column}"

    def unexpected(self, where: str) -> _Fault:
        """What stands here cannot stand here."""
        return _Fault(f"invalid character {_quoted(self.data[self.at :])} {where}")

    def value(self) -> Node:
        """The next value with what stands around it."""
        before = self._between()
        node = self._bare(before)
        node.before = before
        node.after = self._between()
        return node

    def _bare(self, before: str) -> Node:
        if self._next() == b"":
            raise _Fault(f"parsing value: {_END}")
        match self._next():
            case b"{":
                return self._members()
            case b"[":
                return self._elements()
            case b"}" | b"]":
                raise _Closed(self._next().decode(), before)
            case b'"':
                return self._string()
        start = self.at
        while self._next() and self._next()[0] in _LITERAL:
            self.at += 1
        if self.at == start:
            raise self.unexpected("at start of value")
        return self._literal(start)

    def _members(self) -> Node:
        node = Node("{")
        self.at += 1
        while True:
            start = self.at
            try:
                name = self.value()
            except _Closed as closed:
                return self._closed(node, closed, "}")
            if name.kind or not name.text.startswith('"'):
                self.at = start + len(name.before.encode("utf-8", "surrogateescape"))
                raise self.unexpected("at start of object name")
            self._expect(b":", "object after name", "after object name")
            value = self.value()
            node.inner += [name, value]
            if self._is_last(node, b"}", "object after value", "object value"):
                return node

    def _elements(self) -> Node:
        node = Node("[")
        self.at += 1
        while True:
            try:
                value = self.value()
            except _Closed as closed:
                return self._closed(node, closed, "]")
            node.inner.append(value)
            if self._is_last(node, b"]", "array after value", "array value"):
                return node

    def _closed(self, node: Node, closed: _Closed, bracket: str) -> Node:
        """The end of `node` where a value could have begun: it is empty, or has a last comma."""
        if closed.bracket != bracket:
            raise _Fault(str(closed))
        self.at += 1
        node.end, node.trailing_comma = closed.before, bool(node.inner)
        return node

    def _is_last(self, node: Node, bracket: bytes, unended: str, what: str) -> bool:
        if self._next() == b",":
            self.at += 1
            return False
        self._expect(bracket, unended, f"after {what} (expecting ',' or '{bracket.decode()}')")
        node.end, node.inner[-1].after = node.inner[-1].after, ""
        return True

    def _expect(self, wanted: bytes, unended: str, where: str) -> None:
        if self._next() == b"":
            raise _Fault(f"parsing {unended}: {_END}")
        if self._next() != wanted:
            raise self.unexpected(where)
        self.at += 1

    def _string(self) -> Node:
        start, escaped = self.at, False
        self.at += 1
        while (char := self._next()) != b"":
            self.at += 1
            if escaped or char == b"\\":
                escaped = not escaped
            elif char == b'"':
                return self._literal(start)
        raise _Fault(f"parsing string: {_END}")

    def _literal(self, start: int) -> Node:
        raw = self.data[start : self.at]
        text = raw.decode("utf-8", "replace")
        try:
            json.loads(raw, parse_constant=_refuse)
        except ValueError:
            self.at = start
            raise _Fault(f"invalid literal: {text}") from None
        return Node(text=text)

    def _between(self) -> str:
        start = self.at
        while (char := self._next()) != b"":
            if char in _BLANK:
                self.at += 1
            elif char != b"/" or not self._comment():
                break
        return self.data[start : self.at].decode("utf-8", "surrogateescape")

    def _comment(self) -> bool:
        """Past the comment that begins here; whether one does."""
        opening = self.data[self.at : self.at + 2]
        if opening not in {b"//", b"/*"}:
            return False
        closing = b"\n" if opening == b"//" else b"*/"
        found = self.data.find(closing, self.at + 2)
        end = len(self.data) if found < 0 else found + len(closing)
        comment = self.data[self.at : end]
        if found < 0 and opening == b"/*":
            raise _Fault(f"parsing comment: {_END}")
        try:
            said = comment.decode()
        except UnicodeDecodeError:
            raise _Fault("invalid UTF-8 in comment") from None
        if opening == b"//":
            for separator in _SEPARATORS:
                if separator in said:
                    self.at += len(said.partition(separator)[0].encode())
                    raise self.unexpected("in line comment")
            if found < 0:
                raise _Fault(f"parsing comment: {_END}")
        self.at = end
        return True

    def _next(self) -> bytes:
        return self.data[self.at : self.at + 1]


def _refuse(text: str) -> None:
    raise ValueError(text)


def _quoted(data: bytes) -> str:
    """The first character as Go quotes one."""
    for length in range(1, 5):
        try:
            char = data[:length].decode()
        except UnicodeDecodeError:
            continue
        break
    else:
        return f"'\\x{data[0]:02x}'"
    if char in "'\\":
        return f"'\\{char}'"
    if char.isprintable():
        return f"'{char}'"
    return f"'\\u{ord(char):04x}'" if char <= "\uffff" else f"'\\U{ord(char):08x}'"
