"""One deterministic archive of a source: the same content has the same hash everywhere.

The hash is that of the tar inside, since compressed bytes differ between versions of zlib. Order,
modes, owners and times are normalised: a file that begins with `#!` is executable, any other is
not, whatever the system says, since Windows has no such bit.
"""

import contextlib
import gzip
import hashlib
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra.release.tree import Entry, Tree

BLOCK = tarfile.BLOCKSIZE
LEVEL = 6


def digest(tree: Tree) -> str:
    """The hash that names the archive, in hex; nothing is compressed or written for it."""
    running = hashlib.sha256()
    for part in _tar(tree):
        running.update(part)
    return running.hexdigest()


def pack(tree: Tree, directory: Path) -> Path:
    """The archive as `<directory>/<hash>.tar.gz`; made where it is not there, by one rename."""
    running = hashlib.sha256()
    directory.mkdir(parents=True, exist_ok=True)
    known = directory / f"{digest(tree)}.tar.gz"
    if known.is_file():
        return known
    descriptor, partial = tempfile.mkstemp(dir=directory, prefix=".partial-")
    try:
        with (
            os.fdopen(descriptor, "wb") as raw,
            gzip.GzipFile("", "wb", LEVEL, fileobj=raw, mtime=0) as file,
        ):
            for part in _tar(tree):
                running.update(part)
                file.write(part)
        # What was hashed while it was written names it: a file may have changed in between.
        path = directory / f"{running.hexdigest()}.tar.gz"
        Path(partial).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(partial).unlink()
        raise
    return path


def _tar(tree: Tree) -> Iterator[bytes]:
    """The tar, piece by piece: header, content and padding of each entry, then the end."""
    for entry in tree.entries:
        content = b"" if entry.link is not None else entry.path.read_bytes()
        yield _header(entry, content)
        yield content
        if rest := len(content) % BLOCK:
            yield bytes(BLOCK - rest)
    yield bytes(2 * BLOCK)


def _header(entry: Entry, content: bytes) -> bytes:
    info = tarfile.TarInfo(entry.name)
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mtime = 0
    if entry.link is not None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
    else:
        info.size = len(content)
        info.mode = 0o755 if content.startswith(b"#!") else 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
