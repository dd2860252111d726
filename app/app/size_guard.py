"""The size guard: no request body above the limit is ever held, or read to its end.

Bytes are counted as they arrive, so it does not matter what Content-Length claims, or whether
there is one. Unlike FastAPI's own `max_body_size` it also closes the connection after a 413:
a server would otherwise go on to swallow the rest in order to reuse the connection.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import problem_response

# A connection that is closed with unread data in it is reset, and a client that is still sending
# may then lose the answer. So what arrives shortly after a 413 is thrown away, at a walking pace.
LINGER_S = 1.0
FREE_PACE_BYTES = 64 * 1024
PAUSE_S = 0.05


class SizeGuard:
    """ASGI middleware: the layers inside of it get bodies of at most `max_bytes`."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not has_body(scope["headers"]):
            await self._app(scope, receive, send)
            return
        if declared_length(scope["headers"]) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_bytes:
                body.clear()
                await self._refuse(scope, receive, send, more=more)
                return
        await self._app(scope, replayed(bytes(body), receive), send)

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send, *, more: bool = True
    ) -> None:
        """Answer 413 at once; the connection closes when the last, empty part is sent."""

        async def send_all_but_the_end(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "more_body": True}
            await send(message)

        response = problem_response(
            413,
            f"The request body is larger than {self._max_bytes} bytes.",
            {"Connection": "close"},
        )
        await response(scope, receive, send_all_but_the_end)
        if more:
            await linger(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def has_body(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in headers)


def declared_length(headers: list[tuple[bytes, bytes]]) -> int:
    """What Content-Length claims, in bytes; 0 where it is missing or no number."""
    return max(
        (int(value) for name, value in headers if name == b"content-length" and value.isdigit()),
        default=0,
    )


async def linger(receive: Receive) -> None:
    """Throw away what the client still sends, until it stops, is gone, or time is up."""
    thrown_away = 0
    try:
        async with asyncio.timeout(LINGER_S):
            while True:
                message = await receive()
                if not message.get("more_body", False):
                    return
                thrown_away += len(message["body"])
                if thrown_away > FREE_PACE_BYTES:
                    await asyncio.sleep(PAUSE_S)
    except TimeoutError:
        return


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the whole body once, and then what comes after it."""
    given = False

    async def receive_replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_replayed
