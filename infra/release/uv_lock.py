"""Reads uv.lock: whether it fits its project, and what it would install."""

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
            if locked[name] - {frozenset()} and wanted[name] != locked[name]:
                found.append(f"{name} has another version range")
        requires, known = self._project.get("requires-python"), self._lock.get("requires-python")
        if requires and known and _specifiers(requires) != _specifiers(known):
            found.append(f"requires-python is {known} in it and {requires} in the project")
        return found

    def installed(self, extras: frozenset[str]) -> dict[str, Package]:
        """What an installation of the project with these extras brings, by name."""
        found: dict[str, Package] = {}
        seen: set[tuple[str, frozenset[str]]] = set()
        waiting = [(normal(str(self._project.get("name", ""))), extras)]
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
        wanted = normal(str(self._project.get("name", "")))
        return next(
            (
                package
                for package in self._packages
                if package["name"] == wanted
                and package.get("source", {}).keys() & {"editable", "virtual", "directory"}
            ),
            None,
        )

    def _wanted(self) -> dict[str, set[frozenset[str]]]:
        optional = self._project.get("optional-dependencies", {}).values()
        lines = [*self._project.get("dependencies", []), *(x for group in optional for x in group)]
        wanted: dict[str, set[frozenset[str]]] = {}
        own = normal(str(self._project.get("name", "")))
        for requirement in filter(None, map(Requirement.parse, lines)):
            if requirement.name != own:
                wanted.setdefault(requirement.name, set()).add(requirement.specifiers)
        return wanted

    @staticmethod
    def _locked(root: Package) -> dict[str, set[frozenset[str]]]:
        locked: dict[str, set[frozenset[str]]] = {}
        for item in root.get("metadata", {}).get("requires-dist", []):
            if item["name"] != root["name"]:
                specifiers = _specifiers(item.get("specifier", ""))
                locked.setdefault(item["name"], set()).add(specifiers)
        return locked


def without_wheel(packages: Mapping[str, Package]) -> list[str]:
    """Names that can only be installed by building them."""
    return sorted(
        name
        for name, package in packages.items()
        if "sdist" in package and not package.get("wheels")
    )


def _dependencies(package: Package, extras: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    yield from package.get("dependencies", [])
    for extra in extras:
        yield from package.get("optional-dependencies", {}).get(extra, [])


def _specifiers(text: str) -> frozenset[str]:
    plain = text.strip().strip("()").replace(" ", "")
    return frozenset(part for part in plain.split(",") if part and part != "*")
