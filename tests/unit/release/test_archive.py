"""What travels, what stays, and that the same content is the same archive everywhere."""

import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.guest.unpack import verified
from infra.release import archive
from infra.release.finding import SourceError
from infra.release.tree import select

NAMES = st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=8)
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=2000), min_size=1
)


def make(root: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def names(root: Path, *server_only: str) -> list[str]:
    return [entry.name for entry in select(root, server_only).entries]


def without_clashes(files: dict[str, bytes]) -> dict[str, bytes]:
    parents = {str(parent) for name in files for parent in Path(name).parents}
    return {name: content for name, content in files.items() if name not in parents}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(files=TREES, times=st.integers(0, 2**31), mode=st.sampled_from([0o600, 0o644, 0o777]))
def test_the_same_content_is_the_same_archive_whatever_the_system_says(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], times: int, mode: int
) -> None:
    files = without_clashes(files)
    first = make(tmp_path_factory.mktemp("a"), files)
    second = make(tmp_path_factory.mktemp("b"), dict(reversed(files.items())))
    for path in second.rglob("*"):
        if path.is_file():
            path.chmod(mode)
            os.utime(path, (times, times))
    assert archive.digest(select(first)) == archive.digest(select(second))


def test_the_hash_of_a_known_tree_never_changes(tmp_path: Path) -> None:
    make(tmp_path, {"app.py": "app = 1\n", "bin/run": "#!/bin/sh\n", "é.txt": "x"})
    (tmp_path / "link").symlink_to("bin/run")
    known = "ffeeb8a0764a8c6ced854bb988268d9460974e39de860912220e35724b511483"
    assert archive.digest(select(tmp_path)) == known


def test_an_accent_written_either_way_is_one_name(tmp_path: Path) -> None:
    composed = make(tmp_path / "a", {"caf\u00e9.py": "1"})
    decomposed = make(tmp_path / "b", {"cafe\u0301.py": "1"})
    assert archive.digest(select(composed)) == archive.digest(select(decomposed))


def test_one_changed_byte_is_another_archive(tmp_path: Path) -> None:
    make(tmp_path, {"app.py": "1"})
    before = archive.digest(select(tmp_path))
    make(tmp_path, {"app.py": "2"})
    assert archive.digest(select(tmp_path)) != before


def test_a_script_is_executable_and_nothing_else_is(tmp_path: Path) -> None:
    make(tmp_path / "s", {"run": "#!/bin/sh\n", "app.py": "1"})
    (tmp_path / "s/app.py").chmod(0o755)
    with tarfile.open(archive.pack(select(tmp_path / "s"), tmp_path / "out")) as tar:
        assert {m.name: (m.mode, m.uid, m.mtime) for m in tar} == {
            "run": (0o755, 0, 0),
            "app.py": (0o644, 0, 0),
        }


def test_the_guest_takes_what_was_packed_and_nothing_that_was_cut(tmp_path: Path) -> None:
    make(tmp_path / "s", {"app.py": "1" * 9000})
    packed = archive.pack(select(tmp_path / "s"), tmp_path / "out")
    sha256 = packed.name.removesuffix(".tar.gz")
    assert verified(packed, sha256)
    packed.write_bytes(packed.read_bytes()[:-9])
    assert not verified(packed, sha256)


def test_version_control_environments_caches_and_keys_never_travel(tmp_path: Path) -> None:
    make(
        tmp_path,
        dict.fromkeys(
            [
                ".git/config", ".hg/x", ".venv/bin/python", "venv/x", "mine/pyvenv.cfg", "mine/x",
                "__pycache__/a.pyc", "a.pyc", ".mypy_cache/x", "node_modules/x/y.js", ".env",
                "backend/.env", ".DS_Store", "app.py", "envs.py", "backend/venv.py",
            ],
            "x",
        ),
    )  # fmt: skip
    assert names(tmp_path) == ["app.py", "backend/venv.py", "envs.py"]


def test_server_only_paths_stay_and_are_named(tmp_path: Path) -> None:
    make(tmp_path, {"app.py": "", "data/a": "", "src/data/b": "", "src/app/data/c": ""})
    tree = select(tmp_path, ("data", "src/app/data", "certs"))
    assert [entry.name for entry in tree.entries] == ["app.py", "src/data/b"]
    assert tree.kept_back == ("data", "src/app/data")


def test_gitignore_is_honoured_in_every_directory(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            ".gitignore": "*.log\n/build/\n!keep.log\nlocal/\n",
            "a.log": "", "keep.log": "", "build/x": "", "sub/build/x": "", "sub/local/x": "",
            "sub/.gitignore": "!b.log\n*.tmp\n", "sub/b.log": "", "sub/c.log": "", "sub/d.tmp": "",
            "d.tmp": "",
        },
    )  # fmt: skip
    assert names(tmp_path) == [
        ".gitignore", "d.tmp", "keep.log", "sub/.gitignore", "sub/b.log", "sub/build/x",
    ]  # fmt: skip


def test_gitignore_of_the_repository_around_it_counts_too(tmp_path: Path) -> None:
    make(tmp_path, {".git/HEAD": "", ".gitignore": "*.log\n/app/only\n", "app/a.log": "",
                    "app/only": "", "app/x/only": "", "app/b.py": ""})  # fmt: skip
    assert names(tmp_path / "app") == ["b.py", "x/only"]


def test_a_source_that_its_repository_ignores_was_named_on_purpose(tmp_path: Path) -> None:
    make(tmp_path, {".git/HEAD": "", ".gitignore": "vendor/\n", "vendor/app/a.py": ""})
    assert names(tmp_path / "vendor/app") == ["a.py"]


def test_a_link_inside_travels_and_one_that_leaves_is_refused(tmp_path: Path) -> None:
    make(tmp_path, {"s/app.py": "", "secret": "x"})
    (tmp_path / "s/inside").symlink_to(tmp_path / "s/app.py")
    (tmp_path / "s/sub").mkdir()
    (tmp_path / "s/sub/up").symlink_to("../app.py")
    links = {entry.name: entry.link for entry in select(tmp_path / "s").entries}
    assert links == {"app.py": None, "inside": "app.py", "sub/up": "../app.py"}
    (tmp_path / "s/out").symlink_to("../secret")
    (tmp_path / "s/etc").symlink_to("/etc/passwd")
    with pytest.raises(SourceError) as refused:
        select(tmp_path / "s")
    assert sorted(refused.value.findings) == [
        ("source", ("etc is a symbolic link that leaves the source (to /etc/passwd); "
                   "put a copy in its place, or ignore it")),
        ("source", ("out is a symbolic link that leaves the source (to ../secret); "
                   "put a copy in its place, or ignore it")),
    ]  # fmt: skip


def test_an_ignore_file_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    make(tmp_path, {"s/app.py": ""})
    (tmp_path / "s/.gitignore").write_bytes("*.x\n".encode("utf-16"))
    with pytest.raises(SourceError, match=r"\.gitignore is no text in UTF-8.*; save it as UTF-8"):
        select(tmp_path / "s")


def test_a_directory_full_of_mistakes_does_not_fill_the_screen(tmp_path: Path) -> None:
    make(tmp_path, {"s/app.py": ""})
    for number in range(50):
        (tmp_path / f"s/link{number}").symlink_to("/etc/passwd")
    with pytest.raises(SourceError) as refused:
        select(tmp_path / "s")
    assert len(refused.value.findings) == 11
    assert refused.value.findings[-1].text == "and 40 more; is it the right directory?"


def test_a_name_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    make(tmp_path, {"s/app.py": ""})
    Path(os.fsdecode(os.fsencode(tmp_path / "s") + b"/\xff.txt")).touch()
    with pytest.raises(SourceError) as refused:
        select(tmp_path / "s")
    assert refused.value.findings == [
        ("source", r"'\udcff.txt' is a name that is not UTF-8; rename it or ignore it")
    ]


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (None, "is not there; name the directory that holds the application"),
        ("file", "is no directory; name the directory that holds the application"),
        ("empty", "holds no files that travel; is it the right directory?"),
    ],
)
def test_a_source_that_cannot_be_sent_is_refused(
    tmp_path: Path, made: str | None, text: str
) -> None:
    source = tmp_path / "source"
    if made == "file":
        source.write_text("")
    elif made == "empty":
        (source / ".git").mkdir(parents=True)
    with pytest.raises(SourceError) as refused:
        select(source)
    assert refused.value.findings == [("source", f"{source} {text}")]


def test_a_pipe_is_named_and_refused(tmp_path: Path) -> None:
    make(tmp_path, {"app.py": ""})
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="pipe is no file, directory or link"):
        select(tmp_path)
