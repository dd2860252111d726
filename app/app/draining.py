"""The way to a stop: readiness turns false, the listener stays, open requests finish, then it ends.

A server closes its listener as soon as it is told to stop, so nobody could read that the service
is draining. Therefore the stop signal is held back here until the open requests are done.
"""

import asyncio
import contextvars
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

logger = logging.getLogger("app.draining")

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
Handler = Callable[[int, FrameType | None], object]


class Draining:
    """Whether the service drains, and which requests are open. Lives in `app.state.draining`.

    A launcher that stops the server without a signal calls `begin()`, awaits `wait()` and then
    sets `server.should_exit`.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.begun = False
        self.open: set[asyncio.Task[object]] = set()
        self._before: set[asyncio.Task[object]] = set()

    def begin(self) -> None:
        """Turn readiness off, and set the limit after which open requests are cut off."""
        if self.begun:
            return
        self.begun = True
        self._before = set(self.open)
        logger.info("draining", extra={"fields": {"open_requests": len(self._before)}})
        asyncio.get_running_loop().call_later(self.limit_s, self._cut_off)

    async def wait(self) -> None:
        """Until the requests that were open at `begin()` are done, at most to the limit."""
        if self._before:
            await asyncio.wait(self._before)

    def _cut_off(self) -> None:
        """Cancel what is still open, again each second: a task may be between two waits."""
        if self.open:
            logger.warning(
                "drain limit reached", extra={"fields": {"open_requests": len(self.open)}}
            )
        for task in self.open:
            task.cancel()
        asyncio.get_running_loop().call_later(1, self._cut_off)

    @contextmanager
    def on_stop_signals(self) -> Iterator[None]:
        """Drain first when the process is told to stop; then the server's own handler runs.

        A second SIGINT, from somebody who does not want to wait, is passed on at once after those
        held back; a second SIGTERM is not: service managers and supervisors may both send one.
        Where nothing handles the signals (a test client, a server in a thread) they are left alone.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        relay = SignalRelay(self, asyncio.get_running_loop())
        relay.install()
        try:
            yield
        finally:
            relay.remove()


class SignalRelay:
    """Stands between the stop signals and the handlers that the server installed for them."""

    def __init__(self, draining: Draining, loop: asyncio.AbstractEventLoop) -> None:
        self._draining = draining
        self._loop = loop
        self._context = contextvars.copy_context()
        self._handlers: dict[int, Handler] = {}
        self._held: list[int] = []
        self._passing: asyncio.Task[None] | None = None

    def install(self) -> None:
        for number in STOP_SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler) and handler is not signal.default_int_handler:
                self._handlers[number] = handler
                signal.signal(number, self._received)

    def remove(self) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._received:
                signal.signal(number, handler)

    def _received(self, number: int, _frame: FrameType | None) -> None:
        # Not in the context of the request that was just being handled, whose id it would log.
        self._loop.call_soon_threadsafe(self._hold, number, context=self._context)

    def _hold(self, number: int) -> None:
        first = not self._draining.begun
        self._held.append(number)
        self._draining.begin()
        if first:
            self._passing = self._loop.create_task(self._pass_on_when_done())
        elif number == signal.SIGINT:
            self._pass_on()

    async def _pass_on_when_done(self) -> None:
        await self._draining.wait()
        self._pass_on()

    def _pass_on(self) -> None:
        while self._held:
            number = self._held.pop(0)
            self._handlers[number](number, None)
