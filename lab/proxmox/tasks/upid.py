"""Task identifiers: `UPID:node:pid:pstart:starttime:type:id:user:`."""

import re
from dataclasses import dataclass

_UPID = re.compile(
    r"UPID:(?P<node>[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?):(?P<pid>[0-9A-Fa-f]{8}):"
    r"(?P<pstart>[0-9A-Fa-f]{8,9}):(?P<started>[0-9A-Fa-f]{8}):(?P<type>[^:\s]+):(?P<id>[^:\s]*):"
    r"(?P<user>[^:\s]+):\Z"
)


@dataclass(frozen=True)
class Upid:
    """The fields of a task identifier; times in seconds, `pstart` in clock ticks."""

    node: str
    pid: int
    pstart: int
    started: int
    type: str
    id: str
    user: str

    def __str__(self) -> str:
        return (
            f"UPID:{self.node}:{self.pid:08X}:{self.pstart:08X}:{self.started:08X}:"
            f"{self.type}:{self.id}:{self.user}:"
        )

    @classmethod
    def parse(cls, text: str) -> "Upid | None":
        """The fields of `text`; None when it is no task identifier."""
        match = _UPID.match(text)
        if match is None:
            return None
        return cls(
            node=match["node"],
            pid=int(match["pid"], 16),
            pstart=int(match["pstart"], 16),
            started=int(match["started"], 16),
            type=match["type"],
            id=match["id"],
            user=match["user"],
        )
