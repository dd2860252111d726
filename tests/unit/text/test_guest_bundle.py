"""The guest program as it is shipped."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import guest_bundle
from infra.guest import document
from infra.text import document as sent

STDLIB = sys.stdlib_module_names
REPO = Path(__file__).parents[3]


def test_the_same_modules_are_the_same_bytes_also_from_a_checkout_with_windows_line_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in guest_bundle.PACKAGE.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    known = guest_bundle.bundle()
    monkeypatch.setattr(guest_bundle, "PACKAGE", tmp_path)
    assert guest_bundle.bundle.__wrapped__() == known


def test_it_runs_and_refuses_what_it_does_not_understand(tmp_path: Path) -> None:
    program = tmp_path / "guest.pyz"
    program.write_bytes(guest_bundle.bundle())
    done = subprocess.run(
        [sys.executable, "-I", "-S", program, "deploy"],
        input='{"format": 1, "service": "chat"}',
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("deploy: archive: must be a JSON object, got NoneType")
    assert "Traceback" not in done.stderr


def test_it_needs_the_standard_library_alone() -> None:
    archive = zipfile.ZipFile(io.BytesIO(guest_bundle.bundle()))
    for name in archive.namelist():
        if not name.endswith(".py") or name == "guest/launcher.py":
            continue
        for line in archive.read(name).decode().splitlines():
            words = line.split()
            if words[:1] == ["import"] or (words[:1] == ["from"] and "import" in words):
                module = words[1].rstrip(",").partition(".")[0]
                assert module in STDLIB or module in {"", "guest"}, f"{name}: {line}"


def test_it_carries_uv_as_it_is_pinned_here() -> None:
    archive = zipfile.ZipFile(io.BytesIO(guest_bundle.bundle()))
    assert archive.read("guest/uv.txt") == (REPO / "requirements" / "uv.txt").read_bytes()


def test_both_sides_speak_one_format() -> None:
    assert document.FORMAT == sent.FORMAT
