"""What a service did instead of answering, in the words of Go's client: users search for them."""

import h11

from lab.connector.peer import Peer


def told(error: h11.RemoteProtocolError | ConnectionError, back: Peer) -> str:
    """What went wrong before an answer."""
    said = str(error)
    if isinstance(error, h11.RemoteProtocolError):
        if said.startswith("illegal"):
            line = "".join(map(_quoted, back.heard.partition(b"\r\n")[0]))
            broken = "net/http: HTTP/1.x transport connection broken"
            return f'{broken}: malformed HTTP response "{line}"'
        if back.wire.ended:
            return "unexpected EOF" if back.heard else "EOF"
    return said or type(error).__name__


def _quoted(byte: int) -> str:
    char = chr(byte)
    if char in '"\\':
        return f"\\{char}"
    return char if char.isascii() and char.isprintable() else f"\\x{byte:02x}"
