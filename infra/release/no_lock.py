"""What to do for a source that has no lock: the one line that fits how it states what it needs."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from infra.release.tree import Tree

LOCKS = ("uv.lock", "requirements.txt", "requirements.lock")
HASHED = "uv pip compile --universal --generate-hashes {} -o requirements.lock"
POETRY = "uvx --with poetry-plugin-export poetry export -o requirements.txt"
PIPENV = "pipenv requirements --hash > requirements.txt"
LEVELS_UP = 4


def no_lock(tree: Tree) -> str:
    """The problem and its remedy, in one line."""
    project = _pyproject(tree)
    for said in (_ignored(tree), _foreign(tree, project), _in_workspace(tree.source)):
        if said is not None:
            return said
    if nested := [name for name in tree.by_name if name.endswith("/uv.lock")]:
        return f"the source has no lock at its top; set dependencies: {nested[0]}, or source to it"
    if "project" in project:
        return "the source has no lock; run `uv lock` in it"
    return f"the source has no lock; make one in it: `{HASHED.format(_stated(tree))}`"


def _ignored(tree: Tree) -> str | None:
    name = next((name for name in LOCKS if (tree.source / name).is_file()), None)
    return name and f"{name} is ignored, so it does not travel; take it out of .gitignore"


def _foreign(tree: Tree, project: Mapping[str, Any]) -> str | None:
    """Locks of other programs. Where uv reads the project itself, its own lock is as good."""
    if "poetry" in project.get("tool", {}) and "project" not in project:
        lock = "" if "poetry.lock" in tree.by_name else " (after `poetry lock`)"
        return f"Poetry's lock has no form that uv reads; make one in the source{lock}: `{POETRY}`"
    if "Pipfile" in tree.by_name:
        return f"Pipenv's lock has no form that uv reads; make one in the source: `{PIPENV}`"
    return None


def _in_workspace(source: Path) -> str | None:
    workspace = _workspace(source)
    if workspace is None:
        return None
    where = os.path.relpath(source, workspace).replace(os.sep, "/")
    inside = f"{where}/src" if (source / "src").is_dir() else where
    return (
        f"the source has no lock, but lies in the workspace of {workspace}/uv.lock; "
        f"set source to {workspace} and import_path: {inside}"
    )


def _pyproject(tree: Tree) -> dict[str, Any]:
    try:
        return tomllib.loads((tree.read("pyproject.toml") or b"").decode())
    except ValueError:
        return {}


def _workspace(source: Path) -> Path | None:
    """The directory above that has a uv.lock, within the repository that the source is in."""
    for directory in [source, *source.parents][:LEVELS_UP]:
        if directory != source and (directory / "uv.lock").is_file():
            return directory
        if (directory / ".git").exists():
            return None
    return None


def _stated(tree: Tree) -> str:
    """The file that says what the source needs; the usual name where none does."""
    if "setup.py" in tree.by_name:
        return "setup.py"
    found = [
        name
        for name in tree.by_name
        if "requirements" in name
        and name.count("/") <= 1
        and PurePosixPath(name).suffix in {".in", ".txt"}
    ]
    return min(found, key=lambda name: (name.count("/"), "prod" not in name, name), default="") or (
        "requirements.in"
    )
