"""The mark that every container of ours carries among its tags. Pure text.

One tag, all lower case: `berth+PROJECT+STACK+HOST+ID`, for instance
`berth+berth+prod+chat+k7q2m9xw`. Project, stack and host cannot hold a `+`, so the five parts
are told apart; ID is the short id that the stack file states.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from infra.settings.scalars import MARK_PREFIX

_FORM = re.compile(
    re.escape(MARK_PREFIX)
    + r"(?P<project>[a-z0-9_.-]+)\+(?P<stack>[a-z0-9_.-]+)\+(?P<host>[a-z0-9-]+)\+(?P<id>[a-z0-9]+)"
)


@dataclass(frozen=True)
class Mark:
    """Whose container it is, in four parts."""

    project: str
    stack: str
    host: str
    id: str

    def __post_init__(self) -> None:
        # Proxmox lower-cases tags; two stacks that differ in case only differ in their ids.
        for part in ("project", "stack", "host", "id"):
            object.__setattr__(self, part, getattr(self, part).lower())

    def __str__(self) -> str:
        return f"{MARK_PREFIX}{self.project}+{self.stack}+{self.host}+{self.id}"

    def same_stack(self, other: "Mark") -> bool:
        """Whether both are containers of one stack."""
        return (self.project, self.stack, self.id) == (other.project, other.stack, other.id)


def marks_in(tags: Iterable[str]) -> list[Mark]:
    """Every mark among the tags of a container."""
    return [Mark(**match.groupdict()) for tag in tags if (match := _FORM.fullmatch(tag.lower()))]
