"""A file that holds either its old text or its new one, also after a crash."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Replace `path` by `text`, readable by its owner only, synced before it is in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
