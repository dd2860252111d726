"""The outermost layer: gives each request its id, each response its headers, and logs one line.

Pure ASGI, since it runs for every request: `BaseHTTPMiddleware` costs more than all of it.
"""

import asyncio
import logging
import re
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.draining import Draining
from app.errors import problem_response
from app.journal import request_id

logger = logging.getLogger("app.request")

WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,128}")
ANSWERS = {"http.response.start", "websocket.http.response.start", "websocket.accept"}
LONGEST_PATH = 1000  # journald cuts lines at 48 KiB, a request line may be longer
FIRST_ERROR, FIRST_SERVER_ERROR = 400, 500
SWITCHING_PROTOCOLS = 101
CLIENT_CLOSED_REQUEST = 499  # as nginx has it: nobody was left to answer


def chosen_id(headers: list[tuple[bytes, bytes]]) -> str:
    """The client's id if it sent exactly one that is well-formed, else a new one."""
    sent = [value for name, value in headers if name == b"x-request-id"]
    if len(sent) == 1 and WELL_FORMED.fullmatch(sent[0]):
        return sent[0].decode()
    return secrets.token_hex(16)


class Exchange:
    """One request and its response, watched as they pass."""

    __slots__ = ("aborted_by", "draining", "id", "receive", "send", "sent", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, draining: Draining) -> None:
        self.id = chosen_id(scope["headers"])
        self.receive = receive
        self.send = send
        self.draining = draining
        self.status = 0
        self.sent = False
        self.aborted_by: str | None = None

    async def watched_receive(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.disconnect" and not self.sent and self.status < FIRST_ERROR:
            self.aborted_by = "client"  # after an error, leaving is what it was asked to do
        return message

    async def watched_send(self, message: Message) -> None:
        if message["type"] in ANSWERS:
            self.status = message.get("status", SWITCHING_PROTOCOLS)
            headers = [*message.get("headers", ()), (b"x-request-id", self.id.encode())]
            if self.draining.begun and self.status != SWITCHING_PROTOCOLS:
                headers.append((b"connection", b"close"))
            message["headers"] = headers
        elif not message.get("more_body", False):
            self.sent = True
        await self.send(message)


class RequestLog:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, draining: Draining) -> None:
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        exchange = Exchange(scope, receive, send, self._draining)
        request_id.set(exchange.id)
        task = asyncio.current_task()
        assert task is not None  # ASGI servers run applications in tasks
        if scope["type"] == "http":  # a WebSocket may stay for ever; the server closes it
            self._draining.open.add(task)
        try:
            await self._app(scope, exchange.watched_receive, exchange.watched_send)
        except asyncio.CancelledError:
            exchange.aborted_by = "stop"
            if not self._draining.begun:
                raise
            if not exchange.status:
                response = problem_response(503, "The service is stopping; ask again.")
                await response(scope, receive, exchange.watched_send)
        except Exception:
            exchange.aborted_by = "error"
            raise
        finally:
            self._draining.open.discard(task)
            write_line(scope, exchange, time.perf_counter() - began)


def write_line(scope: Scope, exchange: Exchange, duration_s: float) -> None:
    status = exchange.status or CLIENT_CLOSED_REQUEST
    method, path = scope.get("method", "GET"), scope["path"][:LONGEST_PATH]  # or a WebSocket
    client = scope.get("client")
    fields: dict[str, object] = {
        "method": method,
        "path": path,
        "status": status,
        "duration_ms": round(duration_s * 1000, 3),
        "client": client[0] if client else None,
    }
    if exchange.aborted_by:
        fields["aborted"] = True
        fields["aborted_by"] = exchange.aborted_by
    failed = status >= FIRST_SERVER_ERROR or exchange.aborted_by == "error"
    level = logging.ERROR if failed else logging.INFO
    if logger.isEnabledFor(level):
        # Without the search for the calling line, which would cost more than the rest.
        record = logger.makeRecord(
            logger.name, level, __file__, 0, f"{method} {path} {status}", (), None,
            extra={"fields": fields},
        )  # fmt: skip
        logger.handle(record)
