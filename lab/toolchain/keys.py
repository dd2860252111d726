"""The names under which built things are kept: a digest of all that went into them."""

import hashlib
from pathlib import Path


def key_of(*parts: str | bytes) -> str:
    """Sixteen hexadecimal digits; other parts, in other order or divided otherwise, give others."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:16]


def contents(directory: Path) -> bytes:
    """Names and contents of all files below a directory, in a form that only depends on those."""
    parts: list[str | bytes] = []
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        parts += [path.relative_to(directory).as_posix(), path.read_bytes()]
    return key_of(*parts).encode()
