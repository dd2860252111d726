"""Selects the files of a source that travel, in an order that is the same everywhere."""

import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from infra.release.finding import Finding, SourceError
from infra.release.ignore import Patterns, ignored, never, patterns_above, patterns_in

SHOWN = 10
"""More than that of one source is not read by anybody."""


@dataclass(frozen=True)
class Entry:
    """A file (`link` None) or a symbolic link. `name` is its path in the release, NFC, with `/`."""

    name: str
    path: Path
    link: str | None = None


@dataclass(frozen=True)
class Tree:
    """What travels of a source; `kept_back` names what would, were it not the host's own."""

    source: Path
    entries: tuple[Entry, ...]
    kept_back: tuple[str, ...]

    def read(self, name: str) -> bytes | None:
        """The content of a file that travels, None where none of that name does."""
        entry = self.by_name.get(name)
        return entry.path.read_bytes() if entry is not None and entry.path.is_file() else None

    @cached_property
    def by_name(self) -> Mapping[str, Entry]:
        """The entries by their names."""
        return {entry.name: entry for entry in self.entries}


def select(source: Path, server_only: tuple[str, ...] = ()) -> Tree:
    """The files of `source` that travel; SourceError with everything that is wrong at once."""
    _demand_directory(source)
    root = source.resolve()
    inside, patterns = patterns_above(root)
    walk = _Walk(root, inside, frozenset(server_only))
    entries = sorted(walk.below(root, PurePosixPath("."), patterns), key=lambda e: e.name.encode())
    findings = walk.findings + _twice(entries)
    if not entries and not findings:
        findings.append(
            Finding("source", f"{source} holds no files that travel; is it the right directory?")
        )
    if len(findings) > SHOWN:
        more = Finding("source", f"and {len(findings) - SHOWN} more; is it the right directory?")
        findings = [*findings[:SHOWN], more]
    if findings:
        raise SourceError(findings)
    return Tree(root, tuple(entries), tuple(sorted(walk.kept_back)))


def _demand_directory(source: Path) -> None:
    if source.is_dir():
        return
    problem = "is no directory" if source.exists() else "is not there"
    raise SourceError(
        [Finding("source", f"{source} {problem}; name the directory that holds the application")]
    )


class _Walk:
    def __init__(self, root: Path, inside: PurePosixPath, server_only: frozenset[str]) -> None:
        self._root = root
        self._inside = inside
        self._server_only = server_only
        self.findings: list[Finding] = []
        self.kept_back: list[str] = []

    def below(
        self, directory: Path, at: PurePosixPath, patterns: list[Patterns]
    ) -> Iterator[Entry]:
        patterns = patterns + patterns_in(directory, self._inside / at)
        with os.scandir(directory) as found:
            children = list(found)
        for child in children:
            name = at / unicodedata.normalize("NFC", child.name)
            is_link = child.is_symlink()
            is_directory = child.is_dir(follow_symlinks=False)
            path = Path(child.path)
            if never(path, is_directory=is_directory) or ignored(
                self._inside / name, patterns, is_directory=is_directory
            ):
                continue
            if not _is_text(child.name) or (is_link and not _is_text(str(path.readlink()))):
                self._add(f"{str(name)!a} is a name that is not UTF-8; rename it or ignore it")
                continue
            if str(name) in self._server_only:
                self.kept_back.append(str(name))
                continue
            if is_directory:
                yield from self.below(path, name, patterns)
            elif is_link:
                yield from self._link(path, name)
            elif child.is_file():
                yield Entry(name.as_posix(), path)
            else:
                self._add(f"{name} is no file, directory or link; remove it or ignore it")

    def _link(self, path: Path, name: PurePosixPath) -> Iterator[Entry]:
        target = os.readlink(path)  # noqa: PTH115 - Path.readlink drops a leading ./
        reached = Path(os.path.normpath(path.parent / target))
        if not (reached == self._root or self._root in reached.parents):
            self._add(
                f"{name} is a symbolic link that leaves the source (to {target}); "
                f"put a copy in its place, or ignore it"
            )
            return
        relative = os.path.relpath(reached, path.parent).replace(os.sep, "/")
        yield Entry(name.as_posix(), path, unicodedata.normalize("NFC", relative))

    def _add(self, text: str) -> None:
        self.findings.append(Finding("source", text))


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _twice(entries: list[Entry]) -> list[Finding]:
    """Two names that differ only in how an accent is written are one name on some systems."""
    seen: set[str] = set()
    findings = []
    for entry in entries:
        if entry.name in seen:
            findings.append(Finding("source", f"{entry.name} is there twice; rename one of them"))
        seen.add(entry.name)
    return findings
