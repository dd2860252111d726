"""The rooms of the house stay apart, and small enough to see."""

import ast
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPO

LONGEST = 300
FORBIDDEN = {"infra": {"lab", "app"}, "lab": {"infra", "app"}, "app": {"infra", "lab"}}


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=REPO,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := REPO / line).exists()]


def imported(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_change_in_one_room_cannot_break_another(room: str) -> None:
    files = [path for path in tracked("*.py") if path.relative_to(REPO).parts[0] == room]
    assert files
    strays = {
        str(path.relative_to(REPO)): sorted(found)
        for path in files
        if "tests" not in path.relative_to(REPO).parts
        and (found := imported(path.read_text(encoding="utf-8")) & FORBIDDEN[room])
        and not (room == "app" and found == {"app"})
    }
    assert strays == {}


def test_the_text_that_reaches_a_host_is_made_without_the_engine() -> None:
    pure = [*tracked("infra/text/*.py"), *tracked("infra/guest/*.py")]
    assert pure
    assert [p.name for p in pure if "pulumi" in imported(p.read_text(encoding="utf-8"))] == []


def test_no_module_is_too_long_to_read_in_one_sitting() -> None:
    lengths = {
        str(path.relative_to(REPO)): len(path.read_text(encoding="utf-8").splitlines())
        for path in tracked("*.py")
        if "tests" not in path.relative_to(REPO).parts
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_the_table_of_contents_fits_on_one_screen() -> None:
    assert len((REPO / "__main__.py").read_text(encoding="utf-8").splitlines()) <= 60
