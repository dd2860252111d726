"""The name that a TLS client asks for, read from its first message without answering it."""

import asyncio
import ssl

_MOST_BYTES = 65536


async def read_hello(reader: asyncio.StreamReader) -> tuple[bytes, str | None]:
    """All bytes read, and the server name; None where the client names none.

    Raises ssl.SSLError when the client speaks something else.
    """
    asked: list[str | None] = []

    def stop(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> int:
        asked.append(name)
        return int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = stop
    incoming = ssl.MemoryBIO()
    listener = context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    received = b""
    while len(received) < _MOST_BYTES:
        data = await reader.read(4096)
        if not data:
            break
        received += data
        incoming.write(data)
        try:
            listener.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError:
            if not asked:
                raise
            return received, asked[0].lower() if asked[0] else None
    return received, None
