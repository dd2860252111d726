"""Making a stack ready leaves the checkout as it was, and each stack file its own state.

`pulumi` is a double here: a script that writes what `stack init` writes, where it writes it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.paths import LabPaths
from lab.stack.copy import LabSide
from lab.stack.passphrase import lab_passphrase
from lab.stack.prepare import PreparedStack, prepare_stack

DOUBLE = """\
#!/bin/sh
echo "$PWD $*" >> "$CALLS"
test "$1 $2" = "stack init" || exit 9
state="${PULUMI_BACKEND_URL#file://}/.pulumi/stacks/berth"
test ! -e "$state/$3.json" || { echo "stack '$3' already exists"; exit 255; }
mkdir -p "$state" && touch "$state/$3.json"
echo "encryptionsalt: x" > "Pulumi.$3.yaml"
"""
Prepare = Callable[[Path], PreparedStack]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls"


@pytest.fixture
def prepare(tmp_path: Path, checkout: Path, side: LabSide, said: list[str], calls: Path) -> Prepare:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pulumi").write_text(DOUBLE)
    (programs / "pulumi").chmod(0o755)
    paths = LabPaths("t", tmp_path / "lab")

    def run(stack_file: Path) -> PreparedStack:
        return prepare_stack(
            paths,
            stack_file,
            checkout,
            side,
            programs=(programs,),
            caller={"PATH": "/usr/bin:/bin", "CALLS": str(calls)},
            say=said.append,
        )

    return run


@pytest.fixture
def stack_file(checkout: Path) -> Path:
    file = checkout / "Pulumi.prod.yaml"
    file.write_text("config:\n  berth:id: k7q2m9xw\n")
    return file


def _contents(directory: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


def test_nothing_is_written_into_the_checkout(
    prepare: Prepare, checkout: Path, stack_file: Path
) -> None:
    before = _contents(checkout)
    prepare(stack_file)
    prepare(stack_file)
    assert _contents(checkout) == before


def test_the_state_is_made_once(prepare: Prepare, stack_file: Path, calls: Path) -> None:
    prepare(stack_file)
    prepare(stack_file)
    assert len(calls.read_text().splitlines()) == 1


def test_two_commands_at_once_do_not_collide(
    prepare: Prepare, stack_file: Path, calls: Path
) -> None:
    with ThreadPoolExecutor(4) as pool:
        stacks = list(pool.map(prepare, [stack_file] * 4))
    assert len({stack.backend for stack in stacks}) == 1
    assert len(calls.read_text().splitlines()) == 1


def test_an_edit_of_the_stack_file_is_in_the_next_copy(prepare: Prepare, stack_file: Path) -> None:
    prepare(stack_file)
    stack_file.write_text("config:\n  berth:id: another1\n")
    assert "another1" in prepare(stack_file).copy.read_text()


def test_a_changed_copy_is_replaced_and_said_to_be_lost(
    prepare: Prepare, stack_file: Path, said: list[str]
) -> None:
    copy = prepare(stack_file).copy
    copy.write_text(copy.read_text() + "  berth:more: 1\n")
    assert "berth:more" not in prepare(stack_file).copy.read_text()
    (line,) = said
    assert line == (
        f"{stack_file}: a command changed the lab's copy of it, not the file itself; "
        "that change is gone now. Edit the file to change the stack; a secret is "
        "written there as `NAME: {secure: anything}`, and the lab puts a value of its own in its place."
    )


def test_files_of_one_name_in_two_places_never_share_a_state(
    prepare: Prepare, stack_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "elsewhere" / stack_file.name
    other.parent.mkdir()
    other.write_text("config: {}\n")
    assert prepare(stack_file).backend != prepare(other).backend
    assert prepare(stack_file).name == prepare(other).name == "prod"


def test_only_its_owner_can_read_the_copy_and_the_passphrase(
    prepare: Prepare, stack_file: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "passphrase.json"
    lab_passphrase(kept)
    for file in (prepare(stack_file).copy, kept):
        assert file.stat().st_mode & 0o077 == 0


def test_a_lab_keeps_its_passphrase(tmp_path: Path) -> None:
    kept = tmp_path / "deep" / "passphrase.json"
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lab_passphrase, [kept, kept])
    assert first == second == lab_passphrase(kept)
    assert [p.name for p in kept.parent.iterdir()] == [kept.name]


def test_a_damaged_passphrase_file_says_what_to_do(tmp_path: Path) -> None:
    kept = tmp_path / "passphrase.json"
    kept.write_text("{}")
    with pytest.raises(LabError, match="run `lab down`, then `lab up`"):
        lab_passphrase(kept)


@pytest.mark.parametrize("name", ["prod.yaml", "Pulumi.yaml", "Pulumi..txt", "Pulumi.a b.yaml"])
def test_a_file_that_pulumi_would_not_find_is_refused(prepare: Prepare, name: str) -> None:
    with pytest.raises(LabError) as caught:
        prepare(Path(name))
    assert str(caught.value) == (
        f"{name}: is no stack file by its name; Pulumi wants Pulumi.<stack>.yaml, "
        "for instance Pulumi.prod.yaml"
    )


def test_a_missing_stack_file_is_named(prepare: Prepare, checkout: Path) -> None:
    missing = checkout / "Pulumi.none.yaml"
    with pytest.raises(LabError) as caught:
        prepare(missing)
    assert str(caught.value) == (
        f"{missing}: cannot be read (No such file or directory); name a stack file with --stack"
    )


def test_a_state_that_cannot_be_made_shows_pulumis_own_words(
    prepare: Prepare, stack_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "bin" / "pulumi").write_text("#!/bin/sh\necho 'no space left'; exit 3\n")
    with pytest.raises(LabError, match=r"(?s)exit code 3\):\nno space left$"):
        prepare(stack_file)
