"""What the last run that came to its end left in this stack's own outputs."""

from typing import Any

import pulumi


class LastRun:
    """The stack, as a reference to itself: outputs change only when a run has come to its end."""

    def __init__(self, project: str, stack: str) -> None:
        own = f"{pulumi.get_organization()}/{project}/{stack}"
        self._reference = pulumi.StackReference("last", own)

    def output(self, name: str) -> pulumi.Output[Any]:
        """None where the last run had no such output, or there was none."""
        return self._reference.get_output(name)
