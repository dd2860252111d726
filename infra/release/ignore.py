"""What never travels: version control, environments, caches, and what `.gitignore` says."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pathspec

from infra.release.finding import Finding, SourceError

NEVER_DIRECTORIES = frozenset(
    {
        ".bzr", ".git", ".hg", ".jj", ".svn",
        ".venv", "venv",
        ".hypothesis", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pytest_cache",
        ".ruff_cache", ".tox", "__pycache__", "node_modules",
    }
)  # fmt: skip
NEVER_FILES = frozenset({".DS_Store", ".coverage", ".env", ".git", "Thumbs.db"})
NEVER_SUFFIXES = (".pyc", ".pyo")
ENVIRONMENT_MARK = "pyvenv.cfg"


@dataclass(frozen=True)
class Patterns:
    """One `.gitignore`: its rules, and the directory that they speak of."""

    base: PurePosixPath
    spec: pathspec.GitIgnoreSpec

    def verdict(self, path: PurePosixPath, *, is_directory: bool) -> bool | None:
        """True: ignored, False: taken back in, None: this file says nothing."""
        name = path.relative_to(self.base).as_posix()
        return self.spec.check_file(f"{name}/" if is_directory else name).include


def patterns_in(directory: Path, base: PurePosixPath) -> list[Patterns]:
    """The rules of a directory's `.gitignore`, an empty list where it has none."""
    try:
        lines = (directory / ".gitignore").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        return []
    except UnicodeDecodeError:
        text = f"{directory / '.gitignore'} is no text in UTF-8, so git does not read it either"
        raise SourceError([Finding("source", f"{text}; save it as UTF-8")]) from None
    return [Patterns(base, pathspec.GitIgnoreSpec.from_lines(lines))]


def patterns_above(source: Path) -> tuple[PurePosixPath, list[Patterns]]:
    """The path of the source in its repository, and the rules that lie above it there.

    A source that its repository ignores as a whole was named on purpose: no rule above counts.
    """
    repository = next((d for d in [source, *source.parents] if (d / ".git").exists()), source)
    inside = PurePosixPath(source.relative_to(repository).as_posix())
    above = [at for at in reversed(inside.parents) if repository != source]
    found = [rules for at in above for rules in patterns_in(repository / at, at)]
    for part in [*reversed(inside.parents), inside]:
        if part.name and ignored(part, found, is_directory=True):
            return inside, []
    return inside, found


def ignored(path: PurePosixPath, patterns: list[Patterns], *, is_directory: bool) -> bool:
    """Whether the rules, of which the last and deepest that speaks counts, leave this out."""
    for rules in reversed(patterns):
        verdict = rules.verdict(path, is_directory=is_directory)
        if verdict is not None:
            return verdict
    return False


def never(path: Path, *, is_directory: bool) -> bool:
    """Whether something stays out whatever `.gitignore` says."""
    if is_directory:
        return path.name in NEVER_DIRECTORIES or (path / ENVIRONMENT_MARK).exists()
    return path.name in NEVER_FILES or path.name.endswith(NEVER_SUFFIXES)
