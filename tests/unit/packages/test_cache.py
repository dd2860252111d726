"""The cache holds whole files only, and no more than its limit."""

import os
import time
from pathlib import Path

import pytest

from lab.packages.cache import FileCache
from lab.packages.immutable import never_changes


def keep(cache: FileCache, address: str, size: int) -> None:
    download = cache.begin(address)
    download.write(b"x" * size)
    download.finish()


def test_a_file_is_not_there_before_it_is_whole(tmp_path: Path) -> None:
    cache = FileCache(tmp_path)
    download = cache.begin("a")
    download.write(b"half")
    assert cache.find("a") is None
    download.finish()
    found = cache.find("a")
    assert found is not None
    assert found.read_bytes() == b"half"


def test_a_discarded_file_leaves_nothing(tmp_path: Path) -> None:
    cache = FileCache(tmp_path)
    download = cache.begin("a")
    download.write(b"half")
    download.discard()
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, limit_bytes=250)
    for age, address in ((30, "old but used"), (20, "forgotten")):
        keep(cache, address, 100)
        path = cache.find(address)
        assert path is not None
        os.utime(path, times=(time.time() - age, time.time() - age))
    cache.find("old but used")
    keep(cache, "new", 100)
    assert cache.find("forgotten") is None
    assert cache.find("old but used") is not None
    assert cache.find("new") is not None


def test_a_file_over_the_limit_is_not_kept(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, limit_bytes=250)
    keep(cache, "huge", 300)
    assert cache.find("huge") is None


def test_what_a_killed_process_left_is_removed_but_not_what_another_writes(tmp_path: Path) -> None:
    first = FileCache(tmp_path)
    abandoned, current = first.begin("a"), first.begin("b")
    left = sorted((tmp_path / "partial").iterdir(), key=lambda p: p.stat().st_ino)
    hours_ago = time.time() - 7200
    os.utime(left[0], times=(hours_ago, hours_ago))
    FileCache(tmp_path)
    assert list((tmp_path / "partial").iterdir()) == left[1:]
    current.discard()
    abandoned.discard()


@pytest.mark.parametrize(
    ("path", "control", "kept"),
    [
        ("/debian/pool/main/h/hello/hello_2.10-3_amd64.deb", None, True),
        ("/debian/dists/trixie/main/by-hash/SHA256/" + "a" * 64, None, True),
        ("/packages/ab/cd/" + "e" * 60 + "/six-1.0.tar.gz", None, True),
        ("/debian/dists/trixie/InRelease", None, False),
        ("/debian/dists/trixie/main/binary-amd64/Packages.xz", None, False),
        ("/simple/six/", "max-age=600, public", False),
        ("/latest/tool.deb", None, False),
        ("/any.whl", "public, Immutable", True),
        ("/any.whl", "immutable, private", False),
        ("/pool/a/a.deb", "no-store", False),
    ],
)
def test_only_what_never_changes_is_kept_for_good(
    path: str, control: str | None, *, kept: bool
) -> None:
    assert never_changes(path, control) is kept
