"""The parts of the doubles that reach nothing: lines, differences, Go's words, values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.doubles import values
from lab.doubles.command import go_text
from lab.doubles.command.lines import LIMIT, Lines, LineTooLong
from lab.doubles.diff import changes
from lab.doubles.values import UNKNOWN, Archive, Asset, Secret, Value


@given(st.lists(st.binary()))
def test_lines_do_not_depend_on_how_the_output_was_cut(parts: list[bytes]) -> None:
    cut, whole = Lines(), Lines()

    found = [line for part in parts for line in cut.feed(part)] + cut.last()

    assert found == whole.feed(b"".join(parts)) + whole.last()


def test_a_line_may_fill_the_real_plugins_buffer_and_no_more() -> None:
    assert Lines().feed(b"x" * (LIMIT - 1) + b"\n") == ["x" * (LIMIT - 1)]
    with pytest.raises(LineTooLong):
        Lines().feed(b"x" * LIMIT + b"\n")
    with pytest.raises(LineTooLong):
        Lines().feed(b"short\n" + b"x" * (LIMIT + 1))


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('say "hi"\n', r'"say \"hi\"\n"'),
        ("tab\tback\\", r'"tab\tback\\"'),
        ("\x1b[0m\x7f", r'"\x1b[0m\x7f"'),
        ("äöü € 😀", '"äöü € 😀"'),
        ("a\u00a0b\u200b", r'"a\u00a0b\u200b"'),
    ],
)
def test_commands_are_quoted_as_go_quotes_them(text: str, quoted: str) -> None:
    assert go_text.quoted(text) == quoted


@pytest.mark.parametrize(
    ("status", "signal", "text"),
    [
        (3, "", "Process exited with status 3"),
        (None, "KILL", "Process exited with status 137 from signal KILL"),
        (None, "", "wait: remote command exited without exit status or exit signal"),
    ],
)
def test_the_end_of_a_process_is_told_as_go_tells_it(
    status: int | None, signal: str, text: str
) -> None:
    assert go_text.exit_text(status, signal, "") == text


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        (["1"], ["2", "3"], ["p[0]", "p[1]"]),
        ({"a": "1", "b.c": "1"}, {"b.c": "2"}, ["p.a", 'p["b.c"]']),
        (Secret({"a": "1"}), Secret({"a": "2"}), ["p"]),
        ({"a": "1"}, Secret({"a": "1"}), ["p"]),
        (Asset(hash="1", path="/a"), Asset(hash="1", path="/b"), []),
        (Asset(hash="1", path="/a"), Asset(hash="2", path="/a"), ["p"]),
        (Asset(hash="1", path="/a"), Archive(hash="1", path="/a"), ["p"]),
        ("known", UNKNOWN, ["p"]),
        (True, 1.0, ["p"]),
    ],
)
def test_a_difference_is_told_part_by_part(old: Value, new: Value, paths: list[str]) -> None:
    assert [change.path for change in changes({"p": old}, {"p": new})] == paths


@pytest.mark.parametrize(
    "value",
    [
        [None, True, 1.0, "text", {"a": ["b"]}],
        Secret([Secret("inner")]),
        Secret(UNKNOWN),
        UNKNOWN,
        Asset(hash="1", text="t"),
        Archive(hash="2", path="/p", assets={"a": Asset(hash="1", path="/a")}),
        {},
        [],
    ],
)
def test_a_value_survives_the_way_to_the_engine_and_back(value: Value) -> None:
    back = values.read(values.write({"p": value}))

    assert back == {"p": value}
    assert repr(back["p"]) == repr(value)
