"""What belongs to one engine: where its log is, and whether it has cancelled.

Kept per connection, so that two runs on one process never see each other's cancel.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

T = TypeVar("T")

DEBUG, INFO, WARNING, ERROR = range(4)


class Cancelled(Exception):  # noqa: N818 - an outcome, not an error
    """The engine has cancelled, or the time limit of the operation is over."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("context deadline exceeded" if late else "context canceled")
        self.code = grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED


@dataclass
class Session:
    """One engine's connection."""

    engine: engine_pb2_grpc.EngineStub | None = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def log(self, urn: str, severity: int, text: str, *, passing: bool = False) -> None:
        """Show `text` at the resource `urn`; `passing` texts are progress and are not kept."""
        if self.engine is None:
            return
        request = engine_pb2.LogRequest(
            severity=severity,  # type: ignore[arg-type]
            message=text,
            urn=urn,
            ephemeral=passing,
        )
        try:
            await self.engine.Log(request)
        except grpc.aio.AioRpcError as error:
            # An engine that is shutting down takes no more lines; the operation still counts.
            if error.code() not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
                raise


@dataclass(frozen=True)
class Scope:
    """One operation on one resource: its log, its time limit, its cancel."""

    session: Session
    urn: str
    deadline: float | None
    """In the event loop's time; None for no limit."""

    async def status(self, text: str) -> None:
        """Progress, shown while the operation runs."""
        await self.session.log(self.urn, INFO, text, passing=True)

    async def note(self, severity: int, text: str) -> None:
        """A message that stays in the run's diagnostics."""
        await self.session.log(self.urn, severity, text)

    async def unless_cancelled(self, work: Awaitable[T]) -> T:
        """The result of `work`; raises Cancelled, and drops `work`, when that comes first."""
        task = asyncio.ensure_future(work)
        cancel = asyncio.ensure_future(self.session.cancelled.wait())
        left = None
        if self.deadline is not None:
            left = max(0.0, self.deadline - asyncio.get_running_loop().time())
        try:
            await asyncio.wait({task, cancel}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Cancelled(late=not cancel.done())
        finally:
            cancel.cancel()
            task.cancel()
