"""How a step ends when it does not succeed: what went wrong, what was tried, what to do next."""

import errno

EXIT_FAILED = 1
EXIT_BAD_DOCUMENT = 2
EXIT_SEND_AGAIN = 3
EXIT_LOCKED = 4


class StepFailed(Exception):  # noqa: N818 - it reads as what happened
    """One clear end of a step. `remedy` is what to do next, `detail` the lines that show why."""

    exit_code = EXIT_FAILED

    def __init__(self, problem: str, *, remedy: str = "", detail: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.detail = detail

    @classmethod
    def of(cls, error: OSError) -> "StepFailed":
        """What the kernel refused, in words."""
        where = f"{error.filename}: " if error.filename else ""
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        first = "make room on the host (`df -h`)" if full else "look at that path on the host"
        return cls(
            f"{where}{error.strerror or error}", remedy=f"{first}, then run `pulumi up` again"
        )

    def text(self) -> str:
        """The message: the problem, indented detail, and the remedy, each on lines of its own."""
        lines = [self.problem]
        lines += [f"    {line}" for line in self.detail.splitlines()]
        if self.remedy:
            lines.append(f"next: {self.remedy}")
        return "\n".join(lines)


class BadDocument(StepFailed):
    """The document on stdin is not one that this version understands."""

    exit_code = EXIT_BAD_DOCUMENT


class SendAgain(StepFailed):
    """Neither the archive nor the release that was made from it is on this host."""

    exit_code = EXIT_SEND_AGAIN


class Locked(StepFailed):
    """Another step works on the same service."""

    exit_code = EXIT_LOCKED
