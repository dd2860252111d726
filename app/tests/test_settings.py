"""Wrong settings are refused by name, right ones are taken as they are meant."""

import pytest
from pydantic import ValidationError

from app.settings import Settings, problems

NAMES = ("PORT", "CORS_ORIGINS", "LOG_LEVEL", "DELAY_MS", "MAX_MESSAGE_BYTES", "DRAIN_LIMIT_S")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    return problems(caught.value)


def test_without_variables_the_documented_defaults_hold() -> None:
    assert Settings().model_dump() == {
        "port": 8000,
        "cors_origins": ("http://localhost:5173",),
        "log_level": "info",
        "delay_ms": 80,
        "max_message_bytes": 10240,
        "drain_limit_s": 30,
    }


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("PORT", "abc", "must be a whole number from 1 to 65535, got 'abc'"),
        ("PORT", "0", "must be a whole number from 1 to 65535, got '0'"),
        ("PORT", "65536", "must be a whole number from 1 to 65535, got '65536'"),
        ("PORT", "", "must be a whole number from 1 to 65535, got ''"),
        ("PORT", "80.5", "must be a whole number from 1 to 65535, got '80.5'"),
        ("PORT", "8000.0", "must be a whole number from 1 to 65535, got '8000.0'"),
        ("PORT", "8_000", "must be a whole number from 1 to 65535, got '8_000'"),
        ("DELAY_MS", "-1", "must be a whole number from 0 to 60000, got '-1'"),
        ("DELAY_MS", "80ms", "must be a whole number from 0 to 60000, got '80ms'"),
        ("MAX_MESSAGE_BYTES", "0", "must be a whole number of at least 1, got '0'"),
        ("MAX_MESSAGE_BYTES", "10k", "must be a whole number of at least 1, got '10k'"),
        ("DRAIN_LIMIT_S", "0", "must be a whole number from 1 to 3600, got '0'"),
        ("LOG_LEVEL", "loud", "must be one of critical, error, warning, info, debug, got 'loud'"),
        ("CORS_ORIGINS", "*", "must list its origins; '*' would let every site in"),
        (
            "CORS_ORIGINS",
            "http://a.example,*",
            "must list its origins; '*' would let every site in",
        ),
        (
            "CORS_ORIGINS",
            "http://a.example,,http://b.example",
            "has an empty entry; separate the origins with single commas",
        ),
        (
            "CORS_ORIGINS",
            "http://localhost:5173/",
            "'http://localhost:5173/' would match no browser; write it as 'http://localhost:5173'",
        ),
        (
            "CORS_ORIGINS",
            "https://Chat.Example:443",
            "'https://Chat.Example:443' would match no browser; write it as 'https://chat.example'",
        ),
        (
            "CORS_ORIGINS",
            "http://user:word@a.example/page",
            "'http://user:word@a.example/page' would match no browser; write it as 'http://a.example'",
        ),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    assert refused(monkeypatch, **{name: value}) == [f"{name}: {problem}"]


@pytest.mark.parametrize(
    "text",
    [
        "localhost:5173",
        "//chat.example",
        "null",
        "ftp://chat.example",
        "http://",
        "http://a b",
        "http://a.example:99999",
        "http://a.example:0",
        "http://*.example",
        "http://ä.example",
        "http://[::1",
        "http://a.example http://b.example",
        "http://a.example;http://b.example",
    ],
)
def test_what_is_no_web_origin_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert refused(monkeypatch, CORS_ORIGINS=text) == [
        f"CORS_ORIGINS: {text!r} is not a web origin; write it as 'https://chat.example'"
    ]


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = refused(monkeypatch, PORT="x", LOG_LEVEL="y", DELAY_MS="z")
    assert [line.split(":")[0] for line in lines] == ["PORT", "LOG_LEVEL", "DELAY_MS"]


def test_a_hostile_value_cannot_make_a_second_or_endless_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [line] = refused(monkeypatch, PORT="1\nLOG_LEVEL: all is well" + "x" * 5000)
    assert "\n" not in line
    assert len(line) < 200


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("  ", ()),
        ("https://chat.example", ("https://chat.example",)),
        (" http://a.example , http://b.example:81 ", ("http://a.example", "http://b.example:81")),
        (
            "http://192.168.1.11:5173,http://[::1]:5173",
            ("http://192.168.1.11:5173", "http://[::1]:5173"),
        ),
    ],
)
def test_origins_are_separated_by_commas_and_may_be_none(
    monkeypatch: pytest.MonkeyPatch, text: str, origins: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CORS_ORIGINS", text)
    assert Settings().cors_origins == origins


def test_white_space_around_a_number_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", " 8001\r")
    assert Settings().port == 8001


def test_the_log_level_may_be_written_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    assert Settings().log_level == "warning"


def test_settings_cannot_change_under_a_running_service() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_settings_given_by_a_program_are_checked_too() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(cors_origins=("https://chat.example/",), delay_ms=-1)
    assert [line.split(":")[0] for line in problems(caught.value)] == ["CORS_ORIGINS", "DELAY_MS"]
