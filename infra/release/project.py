"""Looks at a source as a whole: its application, its dependencies, its lock, all at once."""

import hashlib
import tomllib
from dataclasses import dataclass
from typing import Any

from infra.release import requirements
from infra.release.application import Named, find_import_path
from infra.release.finding import Finding
from infra.release.tree import Tree
from infra.release.uv_lock import UvLock, normal, without_wheel

LOCKS = ("uv.lock", "requirements.txt", "requirements.lock")
OTHER_LOCKS = {
    "poetry.lock": "Poetry's lock has no form that uv reads: `uv lock` in the source makes uv.lock",
    "pdm.lock": "PDM's lock is not read: `uv lock` in the source makes uv.lock",
    "Pipfile.lock": "Pipenv's lock is not read: `pipenv requirements --hash > requirements.txt`",
}
HASHED = "uv pip compile --universal --generate-hashes {} -o requirements.lock"
DEPENDENCIES = "dependencies"


@dataclass(frozen=True)
class Wanted:
    """What the stack file says of the source. `application` is None for a command of one's own."""

    application: Named | None
    dependencies: str | None = None
    extras: frozenset[str] = frozenset()
    build_from_source: bool = False
    install_project: bool = False


@dataclass(frozen=True)
class Project:
    """What a deploy needs to know of a source. `lock` is its path in the source."""

    import_path: str
    lock: str
    lock_sha256: str


def inspect(tree: Tree, wanted: Wanted) -> tuple[Project | None, list[Finding]]:
    """The project, or everything that keeps it from running, each with its remedy."""
    findings: list[Finding] = []
    import_path = "."
    if wanted.application is not None:
        import_path, findings = find_import_path(tree, wanted.application)
    lock = _lock(tree, wanted, findings)
    digest = _checked(tree, lock, wanted, findings) if lock is not None else ""
    if wanted.install_project and tree.read(_beside(lock or "", "pyproject.toml")) is None:
        findings.append(
            Finding("install_project", "the source has no pyproject.toml to install from")
        )
    if findings or lock is None:
        return None, findings
    return Project(import_path, lock, digest), []


def _lock(tree: Tree, wanted: Wanted, findings: list[Finding]) -> str | None:
    if wanted.dependencies is not None:
        if tree.read(wanted.dependencies) is not None:
            return wanted.dependencies
        there = (tree.source / wanted.dependencies).is_file()
        problem = "is ignored, so it does not travel" if there else "is not in the source"
        findings.append(Finding(DEPENDENCIES, f"{wanted.dependencies} {problem}"))
        return None
    present = [name for name in LOCKS if tree.read(name) is not None]
    if "uv.lock" in present:
        return "uv.lock"
    hashed = [name for name in present if b"--hash" in (tree.read(name) or b"")]
    if hashed or present:
        return (hashed or present)[0]
    findings.append(Finding(DEPENDENCIES, _no_lock(tree)))
    return None


def _no_lock(tree: Tree) -> str:
    for name in LOCKS:
        if (tree.source / name).is_file():
            return f"{name} is ignored, so it does not travel; take it out of .gitignore"
    for name, advice in OTHER_LOCKS.items():
        if name in tree.by_name:
            return f"the source has neither uv.lock nor requirements with hashes; {advice}"
    nested = [n for n in tree.by_name if n.endswith("/uv.lock")]
    if nested:
        return f"the source has no lock at its top; set dependencies: {nested[0]}, or source to it"
    files = [
        n for n in tree.by_name if n.startswith("requirements") and n.endswith((".txt", ".in"))
    ]
    if "pyproject.toml" in tree.by_name:
        return "the source has no lock; run `uv lock` in it"
    start = files[0] if files else "requirements.in"
    return f"the source has no lock; make one: {HASHED.format(start)}"


def _checked(tree: Tree, lock: str, wanted: Wanted, findings: list[Finding]) -> str:
    if lock.rpartition("/")[2] == "uv.lock":
        return _uv_lock(tree, lock, wanted, findings)
    return _requirements(tree, lock, wanted, findings)


def _uv_lock(tree: Tree, lock: str, wanted: Wanted, findings: list[Finding]) -> str:
    content = tree.read(lock) or b""
    project = tree.read(_beside(lock, "pyproject.toml"))
    if project is None:
        findings.append(Finding(DEPENDENCIES, f"{lock} has no pyproject.toml beside it"))
        return ""
    try:
        known = UvLock(content, project)
    except (ValueError, KeyError, TypeError) as error:
        findings.append(Finding(DEPENDENCIES, f"{lock} cannot be read with its project: {error}"))
        return ""
    if misfits := known.misfits():
        findings.append(
            Finding(
                DEPENDENCIES,
                f"{lock} does not fit pyproject.toml ({'; '.join(misfits)}); run `uv lock`",
            )
        )
    findings += [
        Finding("extras", f"the project has no extra {extra}")
        for extra in sorted(wanted.extras - known.extras())
    ]
    installed = known.installed(wanted.extras)
    if wanted.application is not None and "uvicorn" not in installed:
        findings.append(Finding(DEPENDENCIES, _no_uvicorn(lock, "run `uv add uvicorn`")))
    if not wanted.build_from_source and (names := without_wheel(installed)):
        findings.append(
            Finding(
                DEPENDENCIES,
                f"{', '.join(names)}: there is no wheel, only source; "
                f"set build_from_source: true to build on the host",
            )
        )
    return hashlib.sha256(content).hexdigest()


def _requirements(tree: Tree, lock: str, wanted: Wanted, findings: list[Finding]) -> str:
    read = requirements.read(tree, lock)
    if read.problems:
        shown = "; ".join(read.problems[:3])
        more = f" and {len(read.problems) - 3} more" if len(read.problems) > 3 else ""
        findings.append(
            Finding(
                DEPENDENCIES,
                f"{lock} is not pinned by hashes ({shown}{more}); "
                f"make a lock beside it: {HASHED.format(lock)}",
            )
        )
        return read.sha256
    if wanted.extras:
        findings.append(Finding("extras", f"need a uv.lock; {lock} has none"))
    if wanted.application is not None and "uvicorn" not in read.names:
        findings.append(Finding(DEPENDENCIES, _no_uvicorn(lock, "add it and compile it again")))
    if missing := _missing(tree, lock, read.names):
        findings.append(
            Finding(
                DEPENDENCIES,
                f"{lock} does not fit pyproject.toml ({', '.join(missing)} not in it); "
                f"compile it again",
            )
        )
    return read.sha256


def _missing(tree: Tree, lock: str, names: frozenset[str]) -> list[str]:
    """What a pyproject.toml beside the file states and the file does not have."""
    content = tree.read(_beside(lock, "pyproject.toml"))
    if content is None:
        return []
    try:
        project: dict[str, Any] = tomllib.loads(content.decode()).get("project", {})
    except ValueError:
        return []
    stated = project.get("dependencies", [])
    # A line with a marker may rightly be absent.
    plain = [line for line in stated if isinstance(line, str) and ";" not in line]
    return sorted({normal(requirements.name_of(line)) for line in plain} - names)


def _no_uvicorn(lock: str, remedy: str) -> str:
    return f"{lock} does not bring uvicorn, which serves the application; {remedy}"


def _beside(path: str, name: str) -> str:
    return f"{path.rpartition('/')[0]}/{name}".lstrip("/")
