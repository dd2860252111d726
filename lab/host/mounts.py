"""What is mounted where. Standard library only."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mount:
    """One line of a mount table."""

    source: str
    point: Path
    kind: str
    options: frozenset[str]


def mount_table(process: str = "self") -> list[Mount]:
    """Mounts as `process` (an id, or "self") sees them."""
    lines = Path(f"/proc/{process}/mounts").read_text(encoding="utf-8").splitlines()
    return [_parse(line) for line in lines]


def _parse(line: str) -> Mount:
    source, point, kind, options, *_ = (_plain(word) for word in line.split(" "))
    return Mount(source, Path(point), kind, frozenset(options.split(",")))


def _plain(word: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), word)
