"""What is wrong with a source, in the form of all errors: path, problem, remedy."""

from typing import NamedTuple


class Finding(NamedTuple):
    """`key` is the setting of the service that it belongs to, `text` is "problem; remedy"."""

    key: str
    text: str


class SourceError(Exception):
    """A source that cannot be sent; carries everything that is wrong with it at once."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(f"{finding.key}: {finding.text}" for finding in findings))
        self.findings = findings
