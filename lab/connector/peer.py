"""One side of HTTP/1.1 on a connection, and a server's loop over its requests."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeAlias, cast

import h11

from lab.connector.wire import Wire

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_READ_ON_S = 5
_QUIET_S = 0.5
_TOLD_BYTES = 100
_HEAD_BYTES = 128 * 1024
"""How much a head may have; Cloudflare takes as much."""
_ADDED_BYTES = 16 * 1024
"""How much the edge may add to it."""

Event: TypeAlias = (
    h11.Request
    | h11.InformationalResponse
    | h11.Response
    | h11.Data
    | h11.EndOfMessage
    | h11.ConnectionClosed
)
Headers = list[tuple[bytes, bytes]]


class CutOff(ConnectionError):  # noqa: N818 - what happened, as ConnectionResetError says it
    """What was begun cannot be ended in order: the connection is to be broken, for all to see."""


class Peer:
    """A connection together with where its conversation stands; `role` is this side's."""

    def __init__(
        self,
        wire: Wire,
        role: type[h11.CLIENT] | type[h11.SERVER],
        *,
        head_bytes: int = _HEAD_BYTES + _ADDED_BYTES,
    ) -> None:
        self.wire = wire
        self.http = h11.Connection(role, max_incomplete_event_size=head_bytes)
        self._head_bytes = head_bytes
        self.heard = b""
        """The first that the other side said since this was emptied, for whoever has to tell."""
        self._head_only = False
        self._body_declined = False

    async def event(self) -> Event:
        """The next thing that the other side says. RemoteProtocolError where it is no HTTP."""
        while (event := self.event_now()) is None:
            data = await self.wire.read()
            self.heard = self.heard or data[:_TOLD_BYTES]
            self.http.receive_data(data)
        return event

    def event_now(self) -> Event | None:
        """The same, None where it takes bytes that were not read yet."""
        event = self.http.next_event()
        if event is h11.PAUSED:
            raise RuntimeError("asked for more than this exchange has")
        return None if event is h11.NEED_DATA else cast("Event", event)

    async def send(self, *events: h11.Event) -> None:
        """Say something; what belongs together goes in one write."""
        if self.http.they_are_waiting_for_100_continue:
            self._body_declined = any(isinstance(event, h11.Response) for event in events)
        data = b"".join(self.http.send(event) or b"" for event in events)
        if data:
            await self.wire.write(data)

    async def answer(self, status: int, text: str, headers: Headers | None = None) -> None:
        """A whole short response of plain text."""
        body = text.encode()
        head = [
            (b"Content-Type", b"text/plain; charset=utf-8"),
            (b"Content-Length", str(len(body)).encode()),
            *(headers or []),
        ]
        data = [] if self._head_only else [h11.Data(data=body)]
        reason = _REASONS.get(status, "").encode()
        response = h11.Response(status_code=status, headers=head, reason=reason)
        await self.send(response, *data, h11.EndOfMessage())

    async def next_request(self) -> h11.Request | None:
        """Of a server: the next one; None when the other side has ended."""
        event = await self.event()
        if not isinstance(event, h11.Request):
            return None
        if len(event.target) + sum(len(n) + len(v) for n, v in event.headers) > self._head_bytes:
            # What comes in one piece is never an incomplete event.
            raise h11.RemoteProtocolError("Receive buffer too long", error_status_hint=431)
        self._head_only = event.method == b"HEAD"
        self._body_declined = False
        return event

    async def read_on(self) -> None:
        """Of a server: read what is left of a body, so that its sender sees the answer."""
        if self._body_declined:
            return
        with contextlib.suppress(TimeoutError, h11.RemoteProtocolError):
            async with asyncio.timeout(_READ_ON_S):
                while self.http.their_state is h11.SEND_BODY:
                    await self.event()

    @property
    def reusable(self) -> bool:
        """Whether this exchange is over on both sides, and another one may follow."""
        return (
            self.http.our_state is h11.DONE
            and self.http.their_state is h11.DONE
            and not self.wire.ended
        )

    @property
    def is_quiet(self) -> bool:
        """Whether the other side is there, and has said nothing that was not asked for."""
        unasked = self.http.trailing_data[0]
        return not (self.wire.ended or self.wire.has_unread or unasked)


Handler = Callable[[Peer, h11.Request], Awaitable[None]]


async def serve(
    wire: Wire, handle: Handler, *, idle_s: float | None = None, at_the_edge: bool = False
) -> None:
    """Answer one request after the other until either side ends; `at_the_edge` a visitor's.

    Runs in a task of its own, which is cancelled when the connection is lost.
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("needs a task")
    most = _HEAD_BYTES + (0 if at_the_edge else _ADDED_BYTES)
    peer = Peer(wire, h11.SERVER, head_bytes=most)
    wire.on_lost = task.cancel
    try:
        while True:
            async with asyncio.timeout(idle_s):
                request = await peer.next_request()
            if request is None:
                return
            await handle(peer, request)
            await peer.read_on()
            if not peer.reusable:
                return
            peer.http.start_next_cycle()
    except TimeoutError:
        return
    except h11.RemoteProtocolError as error:
        if peer.http.our_state is h11.IDLE or peer.http.our_state is h11.SEND_RESPONSE:
            await _refuse(peer, error)
    except CutOff:
        wire.abort()
    except ConnectionError:
        return
    except asyncio.CancelledError:
        if not wire.lost:
            raise
    finally:
        wire.on_lost = None
        wire.close()


async def _refuse(peer: Peer, error: h11.RemoteProtocolError) -> None:
    status = error.error_status_hint
    head = h11.Response(
        status_code=status,
        headers=[(b"Content-Length", b"0"), (b"Connection", b"close")],
        reason=_REASONS.get(status, "").encode(),
    )
    await peer.send(head, h11.EndOfMessage())
    await peer.wire.discard(quiet_s=_QUIET_S, limit_s=_READ_ON_S)
