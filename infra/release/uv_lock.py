"""Reads uv.lock: whether it fits its project, and what it would install.

A project is the one beside the lock, or a member of the workspace that the lock is of.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NAME = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*(\(?[^;@]*)(@[^;]*)?(;.*)?"
)
Package = Mapping[str, Any]


def normal(name: str) -> str:
    """A package name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True)
class Requirement:
    """One dependency that a project states."""

    name: str
    extras: frozenset[str]
    specifiers: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> "Requirement | None":
        """From a line of a pyproject.toml, None where it is no requirement."""
        found = NAME.fullmatch(text)
        if found is None:
            return None
        extras = frozenset(normal(e) for e in (found[2] or "").split(",") if e.strip())
        return cls(normal(found[1]), extras, _specifiers(found[3]))


class UvLock:
    """A uv.lock and the pyproject.toml beside it, both parsed."""

    def __init__(self, lock: bytes, project: bytes) -> None:
        """ValueError where one of them is no TOML."""
        self._lock = tomllib.loads(lock.decode())
        self._pyproject = tomllib.loads(project.decode())
        self._project = self._pyproject.get("project", {})
        self._packages: list[Package] = self._lock.get("package", [])

    def misfits(self) -> list[str]:
        """What the project states and the lock does not know, in words; empty where they fit."""
        root = self._root()
        if root is None:
            name = self._project.get("name")
            return [f"it locks no project named {name}"] if name else []
        wanted = self._wanted()
        locked = self._locked(root)
        found = [f"{name} is not in it" for name in sorted(wanted.keys() - locked.keys())]
        found += [f"{n} is in it, but not wanted" for n in sorted(locked.keys() - wanted.keys())]
        for name in sorted(wanted.keys() & locked.keys()):
            ranges = {item.specifiers for item in locked[name]}
            if ranges - {frozenset()} and {item.specifiers for item in wanted[name]} != ranges:
                found.append(f"{name} has another version range")
            elif {i.extras for i in wanted[name]} != {i.extras for i in locked[name]}:
                found.append(f"{name} has other extras")
        requires, known = self._project.get("requires-python"), self._lock.get("requires-python")
        # That of a workspace is what all of its members agree on.
        alone = len(self.members) <= 1
        if alone and requires and known and _specifiers(requires) != _specifiers(known):
            found.append(f"requires-python is {known} in it and {requires} in the project")
        return found

    @property
    def name(self) -> str:
        """The name of the project, empty where it has none."""
        return normal(str(self._project.get("name", "")))

    @property
    def members(self) -> list[str]:
        """The packages of the workspace, none where the lock is that of one project alone."""
        return list(self._lock.get("manifest", {}).get("members", []))

    def installed(self, extras: frozenset[str]) -> dict[str, Package]:
        """What an installation of the project with these extras brings, by name."""
        found: dict[str, Package] = {}
        seen: set[tuple[str, frozenset[str]]] = set()
        waiting = [(self.name, extras)]
        by_name: dict[str, list[Package]] = {}
        for package in self._packages:
            by_name.setdefault(package["name"], []).append(package)
        while waiting:
            name, wanted = waiting.pop()
            if (name, wanted) in seen:
                continue
            seen.add((name, wanted))
            for package in by_name.get(name, []):
                found[name] = package
                waiting += [
                    (dependency["name"], frozenset(dependency.get("extra", [])))
                    for dependency in _dependencies(package, wanted)
                ]
        return found

    def extras(self) -> frozenset[str]:
        """The extras that the project offers."""
        return frozenset(normal(name) for name in self._project.get("optional-dependencies", {}))

    def _root(self) -> Package | None:
        return next(
            (p for p in self._packages if p["name"] == self.name and _directory(p) is not None),
            None,
        )

    def _wanted(self) -> dict[str, set[Requirement]]:
        optional = self._project.get("optional-dependencies", {}).values()
        lines = [*self._project.get("dependencies", []), *(x for group in optional for x in group)]
        wanted: dict[str, set[Requirement]] = {}
        for requirement in filter(None, map(Requirement.parse, lines)):
            if requirement.name != self.name:
                wanted.setdefault(requirement.name, set()).add(requirement)
        return wanted

    @staticmethod
    def _locked(root: Package) -> dict[str, set[Requirement]]:
        locked: dict[str, set[Requirement]] = {}
        for item in root.get("metadata", {}).get("requires-dist", []):
            if item["name"] != root["name"]:
                extras = frozenset(normal(extra) for extra in item.get("extras", []))
                specifiers = _specifiers(item.get("specifier", ""))
                found = Requirement(item["name"], extras, specifiers)
                locked.setdefault(found.name, set()).add(found)
        return locked


def without_wheel(packages: Mapping[str, Package]) -> list[str]:
    """Names that can only be installed by building them."""
    return sorted(
        name
        for name, package in packages.items()
        if "sdist" in package and not package.get("wheels")
    )


def from_git(packages: Mapping[str, Package]) -> list[str]:
    """Names that come from a repository, which the host would have to reach and build."""
    return sorted(name for name, p in packages.items() if "git" in p.get("source", {}))


def from_directories(packages: Mapping[str, Package]) -> dict[str, str]:
    """Packages that lie in directories, as seen from the lock, by name; `..` is outside of it.

    A virtual one is no package: nothing of it is ever installed.
    """
    found = {name: _directory(package) for name, package in packages.items()}
    return {
        name: directory
        for name, directory in sorted(found.items())
        if directory is not None and "virtual" not in packages[name]["source"]
    }


def _directory(package: Package) -> str | None:
    source = package.get("source", {})
    kinds = ("editable", "virtual", "directory")
    return next((str(source[kind]) for kind in kinds if kind in source), None)


def _dependencies(package: Package, extras: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    yield from package.get("dependencies", [])
    for extra in extras:
        yield from package.get("optional-dependencies", {}).get(extra, [])


def _specifiers(text: str) -> frozenset[str]:
    plain = text.strip().strip("()").replace(" ", "")
    return frozenset(part for part in plain.split(",") if part and part != "*")
