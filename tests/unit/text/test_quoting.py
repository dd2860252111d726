"""Values reach a service exactly as they were written, whatever they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.guest.environfile import keys
from infra.text.quoting import command_line, env_file, env_line

VALUES = st.text(st.characters(blacklist_characters="\0\n", blacklist_categories=["Cs"]))


def read_as_systemd(text: str) -> dict[str, str]:
    """What systemd's own reader makes of a file: its states for a key, a value, a double quote.

    Written from the rules of systemd.exec(5); the lab's tests hold the same values to the real one.
    """
    found = {}
    for line in text.split("\n"):
        if not line or line[0] in "#;":
            continue
        name, _, rest = line.partition("=")
        assert rest[0] == rest[-1] == '"'
        value, inner = "", iter(rest[1:-1])
        for character in inner:
            if character == "\\":
                following = next(inner)
                value += following if following in '\\"`$' else "\\" + following
            else:
                assert character != '"', "the value ends too early"
                value += character
        found[name] = value
    return found


@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True), VALUES))
def test_any_value_arrives_as_it_was_written(values: dict[str, str]) -> None:
    assert read_as_systemd(env_file("berth/test/chat/k7q2m9xw", values)) == values


@given(st.dictionaries(st.from_regex(r"[A-Z]{1,8}", fullmatch=True), VALUES))
def test_the_guest_finds_the_keys_of_our_own_file(values: dict[str, str]) -> None:
    assert keys(env_file("berth/test/chat/k7q2m9xw", values)) == values.keys()


@pytest.mark.parametrize("value", ["a\nb", "a\0b"])
def test_a_value_that_no_environment_can_hold_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="no NUL and no line break"):
        env_line("NAME", value)


def test_the_same_values_are_the_same_bytes_in_any_order() -> None:
    one, other = {"B": "2", "A": "1"}, {"A": "1", "B": "2"}
    assert env_file("o", one) == env_file("o", other)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["python", "-m", "app"], "python -m app"),
        (["a b", ""], '"a b" ""'),
        (["100%", "$HOME", "${X}"], '100%% $$HOME "$${X}"'),
        (['say "hi"', "back\\slash"], r'"say \"hi\"" "back\\slash"'),
        ([";", "é"], '";" "é"'),
    ],
)
def test_nothing_in_a_command_is_expanded(words: list[str], line: str) -> None:
    assert command_line(words) == line
