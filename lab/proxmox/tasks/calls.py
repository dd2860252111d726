"""The calls on tasks."""

from collections.abc import Callable

from lab.proxmox.call import Handler, Request, Rows, Values
from lab.proxmox.core import Core
from lab.proxmox.errors import bad_parameters
from lab.proxmox.formats import split_list
from lab.proxmox.state import TaskRecord
from lab.proxmox.tasks.upid import Upid

_TASK = "/nodes/{node}/tasks/{upid}"


def handlers(core: Core) -> dict[str, Handler]:
    """The calls by name."""
    calls = _TaskCalls(core)
    return {
        "GET /nodes/{node}/tasks": calls.listing,
        f"GET {_TASK}": calls.index,
        f"DELETE {_TASK}": calls.interrupt,
        f"GET {_TASK}/log": calls.log,
        f"GET {_TASK}/status": calls.status,
    }


class _TaskCalls:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def listing(self, request: Request) -> Rows:
        source = request.get("source", "archive")
        chosen: list[TaskRecord] = [
            record
            for record in reversed(self._core.tasks.records)
            if self._may_read(request, record)
            and (source == "all" or (record.ended is None) == (source == "active"))
            and all(test(record) for test in _filters(request))
        ]
        request.total = len(chosen)
        start, limit = int(request.get("start", "0")), int(request.get("limit", "50"))
        return [self._row(record) for record in chosen[start : start + limit]]

    async def index(self, request: Request) -> Rows:
        self._find(request)
        return [{"name": "log"}, {"name": "status"}]

    async def status(self, request: Request) -> Values:
        record = self._readable(request)
        row: Values = {
            "upid": record.upid,
            "node": self._core.node,
            "pid": record.pid,
            "pstart": record.pstart,
            "starttime": record.started,
            "type": record.type,
            "id": record.id,
            "user": record.user.partition("!")[0],
            "status": "running" if record.ended is None else "stopped",
        }
        if "!" in record.user:
            row["tokenid"] = record.user.partition("!")[2]
        if record.exitstatus is not None:
            row["exitstatus"] = record.exitstatus
        return row

    async def log(self, request: Request) -> Rows:
        record = self._readable(request)
        lines = record.log or ["no content"]
        start, limit = int(request.get("start", "0")), int(request.get("limit", "50"))
        request.total = len(lines)
        shown = lines[start : start + limit] if limit else lines[start:]
        return [{"n": start + index + 1, "t": line} for index, line in enumerate(shown)]

    async def interrupt(self, request: Request) -> None:
        record = self._find(request)
        if not _is_own(request, record):
            request.caller.require(f"/nodes/{self._core.node}", "Sys.Modify")
        self._core.tasks.interrupt(record.upid)

    def _find(self, request: Request) -> TaskRecord:
        upid = request["upid"]
        if Upid.parse(upid) is None:
            raise bad_parameters({"upid": "unable to parse worker upid"})
        record = self._core.tasks.find(upid)
        if record is None:
            raise bad_parameters({"upid": "no such task"})
        return record

    def _readable(self, request: Request) -> TaskRecord:
        record = self._find(request)
        if not self._may_read(request, record):
            request.caller.require(f"/nodes/{self._core.node}", "Sys.Audit")
        return record

    def _may_read(self, request: Request, record: TaskRecord) -> bool:
        return _is_own(request, record) or request.caller.has(
            f"/nodes/{self._core.node}", "Sys.Audit"
        )

    def _row(self, record: TaskRecord) -> Values:
        row: Values = {
            "upid": record.upid,
            "node": self._core.node,
            "pid": record.pid,
            "pstart": record.pstart,
            "starttime": record.started,
            "type": record.type,
            "id": record.id,
            "user": record.user,
        }
        if record.ended is None:
            return row | {"status": "RUNNING"}
        return row | {"status": record.exitstatus, "endtime": record.ended}


def _is_own(request: Request, record: TaskRecord) -> bool:
    """A user owns the tasks of all his tokens, a token only those that it began."""
    return request.caller.auth_id in {record.user, record.user.partition("!")[0]}


def _filters(request: Request) -> list[Callable[[TaskRecord], bool]]:
    tests: list[Callable[[TaskRecord], bool]] = []
    if (vmid := request.get("vmid")) is not None:
        tests.append(lambda record: record.id == vmid)
    if (kind := request.get("typefilter")) is not None:
        tests.append(lambda record: record.type == kind)
    if (user := request.get("userfilter")) is not None:
        tests.append(lambda record: user in record.user)
    if (since := request.get("since")) is not None:
        tests.append(lambda record: record.started >= int(since))
    if (until := request.get("until")) is not None:
        tests.append(lambda record: record.started <= int(until))
    if request.flag("errors"):
        tests.append(lambda record: _outcome(record) == "error")
    if (outcomes := request.get("statusfilter")) is not None:
        wanted = set(split_list(outcomes))
        tests.append(lambda record: _outcome(record) in wanted)
    return tests


def _outcome(record: TaskRecord) -> str:
    status = record.exitstatus
    if status is None or status == "unexpected status":
        return "unknown"
    if status == "OK":
        return "ok"
    return "warning" if status.startswith("WARNINGS: ") else "error"
