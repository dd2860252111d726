"""Reads requirements files: every line pinned by hash, and all files that they include."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from infra.release.tree import Tree
from infra.release.uv_lock import normal

INCLUDE = re.compile(r"(?:-r|--requirement|-c|--constraint)[ =]*(\S+)")
PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?:==|@)\s*\S+")
HASH = re.compile(r"--hash[= ]\w+:[0-9a-fA-F]+")


@dataclass(frozen=True)
class Requirements:
    """What the files hold: names, the hash of all their content, and what is wrong with them."""

    names: frozenset[str]
    sha256: str
    problems: tuple[str, ...]


def read(tree: Tree, file: str) -> Requirements:
    """A requirements file of the source with all that it includes."""
    names: set[str] = set()
    problems: list[str] = []
    running = hashlib.sha256()
    waiting, seen = [file], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        content = tree.read(name)
        if content is None:
            problems.append(f"{name} is included, but does not travel")
            continue
        running.update(f"{name}\0{len(content)}\0".encode() + content)
        for line in _lines(content.decode(errors="replace")):
            if include := INCLUDE.match(line):
                waiting.append((PurePosixPath(name).parent / include[1]).as_posix())
            elif line.startswith("-"):
                problems += _option(name, line)
            else:
                names.add(normal(name_of(line)))
                if (problem := _unhashed(line)) is not None:
                    problems.append(f"{name}: {problem}")
    return Requirements(frozenset(names), running.hexdigest(), tuple(problems))


def _lines(text: str) -> Iterator[str]:
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        plain = re.sub(r"(^|\s)#.*", "", line).strip()
        if plain:
            yield plain


def _option(file: str, line: str) -> list[str]:
    if re.match(r"(-e|--editable)\b", line):
        return [f"{file}: {line} is editable, so it has no hash"]
    return []


def _unhashed(line: str) -> str | None:
    name = name_of(line)
    if not HASH.search(line):
        return f"{name} has no hash"
    if not PINNED.match(line):
        return f"{name} is not pinned with =="
    return None


def name_of(line: str) -> str:
    """The package that a requirement speaks of."""
    return re.split(r"[\s\[<>=!~;@]", line, maxsplit=1)[0]
