"""Carries one request from a connection to another, and the response back, as they come.

Nothing is gathered: each piece is handed on when it is there, and neither side may run ahead of
the other. WebSockets and the like become plain bytes both ways once they are agreed on.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import h11

from lab.connector.peer import CutOff, Event, Headers, Peer
from lab.connector.wire import Wire
from lab.connector.words import told

_OF_ONE_HOP = {
    b"connection",
    b"expect",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_REPEATABLE = {b"GET", b"HEAD", b"OPTIONS", b"TRACE"}

Answer = h11.Response | h11.InformationalResponse
Shape = Callable[[Answer], Headers]
"""Makes the headers of a response that is handed on, from those that came."""


class BackLost(Exception):  # noqa: N818 - says what happened, as ConnectionResetError does
    """The far side broke off, or spoke no HTTP, before it answered; nothing was handed on.

    `repeatable` when the same request may be sent to another one.
    """

    def __init__(self, reason: str, *, repeatable: bool) -> None:
        super().__init__(reason)
        self.repeatable = repeatable


def has_body(request: h11.Request) -> bool:
    """Whether more than the head belongs to the request."""
    for name, value in request.headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0"):
            return True
    return False


def is_repeatable(request: h11.Request) -> bool:
    """Whether doing it twice is as good as doing it once, and its end was seen already."""
    return request.method in _REPEATABLE and not has_body(request)


def header(message: h11.Request | Answer, name: bytes) -> bytes:
    """The first value of a header; empty where there is none. `name` in lower case."""
    return next((value for key, value in message.headers if key == name), b"")


def handed_on(
    message: h11.Request | Answer,
    *,
    without: Iterable[bytes] = (),
) -> Headers:
    """A message's headers for the next hop, spelled as they came, without those of one hop.

    What frames the body is kept: a chunked one stays chunked, one of a known length has it. Of both
    only the former is: a length beside it is a lie that the next hop could believe.
    """
    listed: set[bytes] = set()
    framing: Headers = []
    upgrade: bytes | None = None
    for name, value in message.headers:
        if name == b"connection":
            listed |= {word.strip().lower() for word in value.split(b",")}
        elif name == b"transfer-encoding":
            framing.append((b"Transfer-Encoding", value))
        elif name == b"upgrade":
            upgrade = value
    dropped = _OF_ONE_HOP | listed | set(without)
    if framing:
        dropped.add(b"content-length")
    kept = [
        (raw, value)
        for (name, value), (raw, _) in zip(
            message.headers, message.headers.raw_items(), strict=True
        )
        if name not in dropped
    ]
    if upgrade is not None and b"upgrade" in listed:
        framing += [(b"Connection", b"Upgrade"), (b"Upgrade", upgrade)]
    return [*kept, *framing]


class Exchange:
    """One request of `front`, which `onward` becomes on the far side, and its response.

    With `ask_first` no byte of the body is taken before the far side said 100: until then another
    one can still do it. `silence_s` is how long the far side may say nothing before it answers.
    """

    def __init__(
        self,
        front: Peer,
        request: h11.Request,
        onward: h11.Request,
        shape: Shape,
        *,
        ask_first: bool = False,
        silence_s: float | None = None,
    ) -> None:
        self._front = front
        self._onward = onward
        self._shape = shape
        self._body = has_body(request)
        self._once = not is_repeatable(request)
        self._ask_first = ask_first and self._once
        self._silence_s = silence_s
        self._sending: asyncio.Task[None] | None = None
        self._broken_by_front = False

    async def over(self, back: Peer) -> None:
        """Do it on `back`; afterwards `back.reusable` says whether it can be used again.

        Raises BackLost while nothing was handed on (then it may be tried with another one, when it
        is repeatable), TimeoutError after too long a silence, CutOff for what can only be told by
        breaking off.
        """
        try:
            async with asyncio.timeout(self._silence_s) as limit:
                response = await self._ask(back, limit)
            if isinstance(response, h11.InformationalResponse):
                await _switch(self._front, back, response, self._shape)
                return
            await self._hand_back(back, response)
        finally:
            await self._stop_sending(back)

    async def _ask(self, back: Peer, limit: asyncio.Timeout) -> Answer:
        repeatable = self._ask_first or not self._once
        back.heard = b""
        try:
            if self._ask_first:
                await back.send(self._onward)
                if (refusal := await _go_ahead(back)) is not None:
                    return refusal
                repeatable = False
            opening = [] if self._ask_first else [self._onward]
            if self._body:
                await back.send(*opening)
                self._sending = asyncio.create_task(self._send_body(back, limit))
            else:
                if self._front.http.their_state is h11.SEND_BODY:
                    await self._front.event()
                await back.send(*opening, h11.EndOfMessage())
            return await _answer_of(back)
        except (h11.RemoteProtocolError, ConnectionError) as error:
            if self._broken_by_front:
                raise CutOff("the request broke off within its body") from error
            raise BackLost(told(error, back), repeatable=repeatable) from error

    async def _send_body(self, back: Peer, limit: asyncio.Timeout) -> None:
        """Beside the response; each piece begins the far side's time anew."""
        front, loop = self._front, asyncio.get_running_loop()
        if front.http.they_are_waiting_for_100_continue:
            await front.send(h11.InformationalResponse(status_code=100, headers=[]))
        event: Event | None = None
        while not isinstance(event, h11.EndOfMessage):
            try:
                event = await front.event()
                # What a visitor says after his body is for this hop: services mix it up.
                last = isinstance(event, h11.EndOfMessage)
                piece = h11.EndOfMessage() if last else _piece(event)
            except h11.RemoteProtocolError:
                self._broken_by_front = True
                back.wire.abort()
                return
            try:
                await back.send(piece)
            except (ConnectionError, h11.LocalProtocolError):
                # It may have answered all the same, for instance that this is too large.
                return
            if self._silence_s is not None and back.http.their_state is h11.SEND_RESPONSE:
                limit.reschedule(loop.time() + self._silence_s)

    async def _stop_sending(self, back: Peer) -> None:
        if self._sending is None:
            return
        if back.http.our_state is not h11.DONE:
            self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)

    async def _hand_back(self, back: Peer, response: h11.Response) -> None:
        events: list[h11.Event] = [
            h11.Response(
                status_code=response.status_code,
                reason=response.reason,
                headers=self._shape(response),
            )
        ]
        told = False
        while True:
            try:
                while (event := back.event_now()) is not None:
                    events.append(_piece(event))
                    if isinstance(event, h11.EndOfMessage):
                        await self._front.send(*events)
                        return
                if events:
                    await self._front.send(*events)
                    events, told = [], True
                back.http.receive_data(await back.wire.read())
            except h11.RemoteProtocolError as error:
                if told:
                    raise CutOff("the far side broke off within its answer") from error
                raise BackLost(str(error), repeatable=False) from error


async def _go_ahead(back: Peer) -> h11.Response | None:
    """Wait for 100; the response of one that answers without having seen the body."""
    while True:
        event = await back.event()
        if isinstance(event, h11.InformationalResponse) and event.status_code == 100:
            return None
        if isinstance(event, h11.Response):
            return event
        if isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("EOF")


async def _answer_of(back: Peer) -> Answer:
    """The response, or the consent to another protocol."""
    while True:
        event = await back.event()
        if isinstance(event, h11.Response):
            return event
        if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
            return event
        if isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("EOF")


def _piece(event: Event) -> h11.Event:
    if isinstance(event, h11.Data):
        return h11.Data(data=event.data)
    if isinstance(event, h11.EndOfMessage):
        return h11.EndOfMessage(headers=event.headers.raw_items())
    raise h11.RemoteProtocolError("ended within its answer")


async def _switch(
    front: Peer, back: Peer, response: h11.InformationalResponse, shape: Shape
) -> None:
    """From here on it is bytes, both ways, until either side ends."""
    await front.send(
        h11.InformationalResponse(status_code=101, reason=response.reason, headers=shape(response))
    )
    ways = [
        asyncio.create_task(_copy(back, front.wire)),
        asyncio.create_task(_copy(front, back.wire)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        back.wire.close()
        front.wire.close()


async def _copy(source: Peer, target: Wire) -> None:
    data, _ = source.http.trailing_data
    with contextlib.suppress(ConnectionError):
        while data := data or await source.wire.read():
            await target.write(data)
            data = b""
