"""Runs tasks and remembers how they ended.

A task that was running when the process died reads `unexpected status` afterwards.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from lab.guests import GuestError, Log
from lab.proxmox.errors import ApiError, TaskError
from lab.proxmox.state import Store, TaskRecord
from lab.proxmox.tasks.upid import Upid

_KEPT = 300
_LOG_LINES_KEPT = 400
_logger = logging.getLogger(__name__)

Work = Callable[[Log], Awaitable[None]]


class Tasks:
    """All tasks of the node, newest last."""

    def __init__(self, store: Store, node: str) -> None:
        self._store = store
        self._node = node
        self._running: dict[str, asyncio.Task[None]] = {}

    @property
    def records(self) -> list[TaskRecord]:
        return self._store.state.tasks

    def find(self, upid: str) -> TaskRecord | None:
        return next((record for record in self.records if record.upid == upid), None)

    def recover(self) -> None:
        """After a restart: whatever was running is over, nobody knows how."""
        for record in self.records:
            if record.ended is None:
                self._end(record, "unexpected status")

    def start(self, kind: str, id_: str, user: str, work: Work) -> str:
        """Begin a task and return its UPID; the caller answers with it."""
        state = self._store.state
        state.last_pid += 1
        upid = Upid(
            node=self._node,
            pid=state.last_pid,
            pstart=time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 10_000_000,
            started=int(time.time()),
            type=kind,
            id=id_,
            user=user,
        )
        record = TaskRecord(
            upid=str(upid),
            pid=upid.pid,
            pstart=upid.pstart,
            started=upid.started,
            type=kind,
            id=id_,
            user=user,
        )
        state.tasks.append(record)
        self._forget_old()
        self._store.save()
        self._running[record.upid] = asyncio.create_task(self._run(record, work))
        return record.upid

    async def wait(self, upid: str) -> None:
        """Return when the task is over."""
        if (running := self._running.get(upid)) is not None:
            await asyncio.wait([running])

    async def wait_all(self) -> None:
        """Return when no task runs any more."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    def interrupt(self, upid: str) -> None:
        """End a running task; nothing happens to one that is over."""
        if (running := self._running.get(upid)) is not None:
            running.cancel()

    async def close(self) -> None:
        """Interrupt everything: the process ends."""
        for running in self._running.values():
            running.cancel()
        await self.wait_all()

    async def _run(self, record: TaskRecord, work: Work) -> None:
        def log(line: str) -> None:
            if len(record.log) < _LOG_LINES_KEPT:
                record.log += line.rstrip("\n").split("\n")

        try:
            await work(log)
        except (TaskError, GuestError, ApiError) as error:
            text = getattr(error, "message", None) or str(error)
            self._end(record, " ".join(text.split("\n")).strip() or "unknown error")
        except asyncio.CancelledError:
            self._end(record, "received interrupt")
        except Exception as error:
            _logger.exception("task %s", record.upid)
            self._end(record, f"{type(error).__name__}: {error}".replace("\n", " "))
        else:
            warnings = sum(line.startswith("WARN: ") for line in record.log)
            self._end(record, f"WARNINGS: {warnings}" if warnings else "OK")
        finally:
            self._running.pop(record.upid, None)

    def _end(self, record: TaskRecord, exitstatus: str) -> None:
        record.ended = int(time.time())
        record.exitstatus = exitstatus
        if exitstatus != "unexpected status":
            error = exitstatus != "OK" and not exitstatus.startswith("WARNINGS: ")
            record.log.append(f"TASK {'ERROR: ' if error else ''}{exitstatus}")
        self._store.save()

    def _forget_old(self) -> None:
        over = [record for record in self.records if record.ended is not None]
        for record in over[: max(0, len(self.records) - _KEPT)]:
            self.records.remove(record)
