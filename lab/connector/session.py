"""A connector's side of its connection to the edge: registration, configuration, heartbeat.

Over one connection both sides talk in lines of JSON. Requests come over others, which the
connector opens when the edge asks for them, and on which it is the HTTP server. The lab's own
protocol: Cloudflare's is HTTP/2 or QUIC.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.connector.log import Log
from lab.connector.peer import serve
from lab.connector.service import Service
from lab.connector.wire import Wire

PROTOCOL = 1
LINE_BYTES = 1024 * 1024
PING_S = 5
"""How often the edge sends something; either side gives up after three times as long."""
_CONNECT_S = 10
_DRAINED_WITHIN_S = 2
Json = dict[str, Any]


class Refused(Exception):  # noqa: N818 - the edge's word
    """The edge does not take this connector; trying again is of little use."""


@dataclass(frozen=True)
class Edge:
    """Where the edge is, and which certificates it is trusted by."""

    host: str
    port: int
    context: ssl.SSLContext

    async def dial(self) -> Wire:
        """A new connection. OSError, TimeoutError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONNECT_S):
            _, wire = await loop.create_connection(
                Wire, self.host, self.port, ssl=self.context, server_hostname=self.host
            )
        return wire


async def say(wire: Wire, message: Json) -> None:
    """One line of the conversation."""
    await wire.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")


async def hear(wire: Wire) -> Json:
    """The other side's next line. ConnectionError where it is none, or it ended."""
    try:
        said = json.loads(await wire.read_line(LINE_BYTES))
    except ValueError as error:
        raise ConnectionError("the other side speaks another protocol") from error
    if not isinstance(said, dict):
        raise ConnectionError("the other side speaks another protocol")
    return said


class Session:
    """One connection to the edge, from registration to its end; `hello` says who this is."""

    def __init__(self, edge: Edge, service: Service, log: Log, hello: Json) -> None:
        self._edge = edge
        self._service = service
        self._log = log
        self._hello = hello
        self._control: Wire | None = None
        self._key = ""
        self._lines: set[asyncio.Task[None]] = set()
        self._drained = asyncio.Event()

    async def run(self, on_registered: Callable[[Json], None]) -> None:
        """Serve until the connection ends, which raises OSError or TimeoutError. Refused."""
        control = self._control = await self._edge.dial()
        try:
            await say(control, {"protocol": PROTOCOL, "kind": "control", **self._hello})
            async with asyncio.timeout(_CONNECT_S):
                welcome = await hear(control)
            if "error" in welcome:
                raise Refused(str(welcome["error"]))
            self._key = str(welcome["key"])
            on_registered(welcome)
            while True:
                async with asyncio.timeout(3 * PING_S):
                    message = await hear(control)
                await self._heed(control, message)
        finally:
            self._control = None
            control.abort()

    async def drain(self) -> None:
        """Tell the edge to send nothing new; returns once it has taken note, or is gone."""
        if self._control is None:
            return
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_DRAINED_WITHIN_S):
                await say(self._control, {"draining": True})
                await self._drained.wait()

    async def close(self) -> None:
        """End every connection on which requests come."""
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _heed(self, control: Wire, message: Json) -> None:
        if "config" in message:
            self._service.configure(message["config"], int(message["version"]))
        if "dial" in message:
            for _ in range(int(message["dial"])):
                line = asyncio.create_task(self._open_line(control))
                self._lines.add(line)
                line.add_done_callback(self._lines.discard)
        if "ping" in message:
            await say(control, {"pong": message["ping"]})
        if "drained" in message:
            self._drained.set()

    async def _open_line(self, control: Wire) -> None:
        """A connection on which the edge asks and this side answers."""
        try:
            wire = await self._edge.dial()
            await say(wire, {"protocol": PROTOCOL, "kind": "line", "key": self._key})
        except OSError as error:
            self._log.warn("Failed to open another connection to the edge", error=error)
            with contextlib.suppress(ConnectionError):
                await say(control, {"failed": 1})
            return
        await serve(wire, self._service.answer)
