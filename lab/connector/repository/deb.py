"""Makes a Debian package in memory, the same bytes from the same content. Pure."""

import gzip
import io
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_MADE_AT = 1767225600
"""What every file is dated: nothing depends on when a package was made."""


@dataclass(frozen=True)
class File:
    """A file of the package, or a link where `link` says whereto."""

    path: str
    content: bytes = b""
    mode: int = 0o644
    link: str = ""


def build(control: Mapping[str, str], scripts: Mapping[str, str], files: Iterable[File]) -> bytes:
    """The .deb with the fields of `control`, maintainer scripts by name, and files."""
    fields = "".join(f"{name}: {value}\n" for name, value in control.items())
    inside = [File("control", fields.encode())]
    inside += [File(name, text.encode(), 0o755) for name, text in scripts.items()]
    return b"!<arch>\n" + b"".join(
        _member(name, content)
        for name, content in (
            ("debian-binary", b"2.0\n"),
            ("control.tar.gz", _archive(inside)),
            ("data.tar.gz", _archive(files)),
        )
    )


def _archive(files: Iterable[File]) -> bytes:
    packed = io.BytesIO()
    directories: set[str] = set()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for file in files:
            parts = file.path.split("/")[:-1]
            for depth in range(len(parts)):
                directory = "/".join(parts[: depth + 1])
                if directory not in directories:
                    directories.add(directory)
                    tar.addfile(_entry(f"./{directory}/", tarfile.DIRTYPE, 0o755))
            kind = tarfile.SYMTYPE if file.link else tarfile.REGTYPE
            entry = _entry(f"./{file.path}", kind, 0o777 if file.link else file.mode)
            entry.linkname, entry.size = file.link, len(file.content)
            tar.addfile(entry, io.BytesIO(file.content))
    return gzip.compress(packed.getvalue(), mtime=0)


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, _MADE_AT
    entry.uname = entry.gname = "root"
    return entry


def _member(name: str, content: bytes) -> bytes:
    head = f"{name:<16}{_MADE_AT:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
    return head.encode() + content + (b"\n" if len(content) % 2 else b"")
