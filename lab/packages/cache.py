"""Files that were fetched once, on disk: whole or not there, and never more than a limit."""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

DEFAULT_LIMIT_BYTES = 4 * 1024**3
_ABANDONED_AFTER_S = 3600


class FileCache:
    """Keeps files by address in `directory`, which several labs may share."""

    def __init__(self, directory: Path, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._files = directory / "files"
        self._partial = directory / "partial"
        self._limit = limit_bytes
        self._files.mkdir(parents=True, exist_ok=True)
        self._partial.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned()

    def find(self, address: str) -> Path | None:
        """The file, marked as used just now."""
        path = self._path(address)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def begin(self, address: str) -> "Download":
        """A file that is there once it is finished."""
        handle, name = tempfile.mkstemp(dir=self._partial)
        return Download(self, Path(name), self._path(address), os.fdopen(handle, "wb"))

    def make_room(self) -> None:
        """Remove what was not used for longest until the limit is kept."""
        present = sorted(self._present(), key=lambda item: item[1].st_mtime)
        total = sum(found.st_size for _, found in present)
        for path, found in present:
            if total <= self._limit:
                return
            path.unlink(missing_ok=True)
            total -= found.st_size

    def _path(self, address: str) -> Path:
        digest = hashlib.sha256(address.encode()).hexdigest()
        return self._files / digest

    def _present(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._files.iterdir():
            # Another lab may have removed it in between.
            with suppress(FileNotFoundError):
                yield path, path.stat()

    def _remove_abandoned(self) -> None:
        for path in self._partial.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ABANDONED_AFTER_S:
                    path.unlink()


class Download:
    """A file on its way into the cache. Errors of the disk are OSErrors."""

    def __init__(self, cache: FileCache, scratch: Path, target: Path, out: IO[bytes]) -> None:
        self._cache = cache
        self._scratch = scratch
        self._target = target
        self._out = out

    def write(self, data: bytes) -> None:
        self._out.write(data)

    def finish(self) -> None:
        """Put the whole file in its place."""
        self._out.flush()
        os.fsync(self._out.fileno())
        self._out.close()
        self._scratch.replace(self._target)
        self._cache.make_room()

    def discard(self) -> None:
        """Leave nothing; no error when it is finished already."""
        # Closing writes what is left, for which the disk may be too full.
        with suppress(OSError):
            self._out.close()
        self._scratch.unlink(missing_ok=True)
