"""Looks at a source as a whole: its application, its dependencies, its lock, all at once."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from infra.release import requirements
from infra.release.application import Named, find_import_path
from infra.release.finding import Finding
from infra.release.no_lock import HASHED, LOCKS, no_lock
from infra.release.tree import Tree
from infra.release.uv_lock import UvLock, from_directories, from_git, normal, without_wheel

DEPENDENCIES = "dependencies"


@dataclass(frozen=True)
class Wanted:
    """What the stack file says of the source. `application` is None for a command of one's own."""

    application: Named | None
    import_path: str | None = None
    dependencies: str | None = None
    extras: frozenset[str] = frozenset()
    build_from_source: bool = False
    install_project: bool = False


@dataclass(frozen=True)
class Project:
    """What a deploy needs to know of a source. `lock` is its path in the source.

    `package` is the member of the lock's workspace that runs, None where it is the lock's own.
    """

    import_path: str
    lock: str
    lock_sha256: str
    package: str | None = None


def inspect(tree: Tree, wanted: Wanted) -> tuple[Project | None, list[Finding]]:
    """The project, or everything that keeps it from running, each with its remedy."""
    findings: list[Finding] = []
    import_path = wanted.import_path or "."
    if wanted.application is not None:
        import_path, findings = find_import_path(tree, wanted.application)
    lock = _lock(tree, wanted, findings)
    home = _project_home(tree, lock or "", import_path)
    if wanted.install_project and tree.read(_in(home, "pyproject.toml")) is None:
        findings.append(
            Finding("install_project", "the source has no pyproject.toml to install from")
        )
    if lock is None:
        return None, findings
    if lock.rpartition("/")[2] == "uv.lock":
        digest, package = _uv_lock(tree, lock, home, wanted, findings)
    else:
        digest, package = _requirements(tree, lock, wanted, findings), None
    return None if findings else Project(import_path, lock, digest, package), findings


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
    findings.append(Finding(DEPENDENCIES, no_lock(tree)))
    return None


def _project_home(tree: Tree, lock: str, import_path: str) -> str:
    """The directory of the project that runs: of the workspace of a uv.lock, the member."""
    top = PurePosixPath(lock).parent
    here = PurePosixPath(import_path)
    if lock.rpartition("/")[2] == "uv.lock" and here.is_relative_to(top):
        for directory in (here, *here.parents):
            content = tree.read(_in(str(directory), "pyproject.toml")) or b""
            if directory == top or b"[project]" in content:
                return str(directory)
    return str(top)


def _uv_lock(
    tree: Tree, lock: str, home: str, wanted: Wanted, findings: list[Finding]
) -> tuple[str, str | None]:
    """The hash of the lock, and the member of its workspace that runs."""
    content = tree.read(lock) or b""
    stated = _in(home, "pyproject.toml")
    project = tree.read(stated)
    if project is None:
        findings.append(Finding(DEPENDENCIES, f"{lock} has no pyproject.toml beside it"))
        return "", None
    try:
        known = UvLock(content, project)
    except (ValueError, KeyError, TypeError) as error:
        findings.append(Finding(DEPENDENCIES, f"{lock} cannot be read with its project: {error}"))
        return "", None
    is_member = PurePosixPath(home) != PurePosixPath(lock).parent
    if not known.name and known.members:
        members = ", ".join(known.members)
        problem = f"{lock} is that of a workspace of {members}; set import_path to the one to run"
        findings.append(Finding(DEPENDENCIES, problem))
        return "", None
    if misfits := known.misfits():
        findings.append(
            Finding(
                DEPENDENCIES,
                f"{lock} does not fit {stated} ({'; '.join(misfits)}); run `uv lock`",
            )
        )
    findings += [
        Finding("extras", f"the project has no extra {extra}")
        for extra in sorted(wanted.extras - known.extras())
    ]
    findings += [Finding(DEPENDENCIES, text) for text in _missing_in_lock(lock, known, wanted)]
    return hashlib.sha256(content).hexdigest(), known.name if is_member else None


def _missing_in_lock(lock: str, known: UvLock, wanted: Wanted) -> Iterator[str]:
    installed = known.installed(wanted.extras)
    if wanted.application is not None and "uvicorn" not in installed:
        yield _no_uvicorn(lock, "run `uv add uvicorn`")
    if not wanted.build_from_source:
        if names := without_wheel(installed):
            yield (
                f"{', '.join(names)}: there is no wheel, only source; "
                f"set build_from_source: true to build on the host"
            )
        if names := from_git(installed):
            yield (
                f"{', '.join(names)}: comes from a Git repository; set build_from_source: true "
                f"and packages: [git] to get and build it on the host"
            )
    for name, directory in from_directories(installed).items():
        if name == known.name:
            continue
        if directory.startswith(("..", "/")):
            yield (
                f"{name} is in {directory}, outside of the source, so it does not travel; "
                f"set source to a directory that holds both"
            )
        elif not wanted.install_project:
            yield (
                f"{name} is in {directory}, and can be imported only where it is installed; "
                f"set install_project: true"
            )


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
    content = tree.read(_in(str(PurePosixPath(lock).parent), "pyproject.toml"))
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


def _in(directory: str, name: str) -> str:
    return (PurePosixPath(directory) / name).as_posix()
