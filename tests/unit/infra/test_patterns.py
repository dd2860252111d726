"""Paths of routes: what cloudflared would refuse is refused before it, and no route lies hidden."""

import re

import pytest

from infra.settings.checks import SaidError
from infra.settings.hidden_paths import leaves_nothing, takes_everything
from infra.settings.patterns import pattern


@pytest.mark.parametrize(
    "text",
    [
        "^/(a{30}){40}",
        "^/(a{1000}){1000}",
        "(((((a{10}){10}){10}){10}){10})",
        "((a{1,500})+){3}",
        "(a{2}){600}",
        "(a{400,}){3}",
        "((a{500}){1,1}){1000}",
        "(?:b|[x)]a{40}){30}",
    ],
)
def test_repeats_within_repeats_that_cloudflared_refuses_stop_the_preview(text: str) -> None:
    with pytest.raises(SaidError, match="repeats more than 1000 times, those within others multi"):
        pattern(text)


@pytest.mark.parametrize(
    "text",
    [
        "(a{30}){33}",
        "(a{1000}){1}",
        "(a{1000}){0,1}",
        "((a{1000}){0}){1000}",
        r"(\({30}|[{40}]){33}",
    ],
)
def test_repeats_within_repeats_that_cloudflared_takes_are_taken(text: str) -> None:
    assert pattern(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(?P<é>a)", "names a group with other characters than A-Z, a-z, 0-9 and _, which cloudfl"),
        ("(?<é>a)", "names a group with other characters than A-Z, a-z, 0-9 and _, which cloudfl"),
        ("(?P<1>a)", "names a group with a digit first, which is not understood everywhere here"),
        ("a{00001}", "writes {00001}, which cloudflared takes for plain text; write {1}"),
        ("a{01,2}", "writes {01,2}, which cloudflared takes for plain text; write {1,2}"),
        ("^(?i)/a", "sets flags after its beginning, which is not understood everywhere here; wri"),
        ("a*(?U)*", "repeats what sets flags"),
        ("(?<=a)b", "looks ahead or behind, which cloudflared's patterns"),
        ("/*", "is a regular expression, not a glob: /* matches every path; leave path out or"),
        ("*", "is a regular expression, not a glob; leave path out for every path, or write ^/"),
    ],
)
def test_a_pattern_is_refused_with_the_true_reason(text: str, said: str) -> None:
    with pytest.raises(SaidError) as caught:
        pattern(text)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("(?<a>b)", "(?P<a>b)"),
        (r"\(?<a>b", r"\(?<a>b"),
        ("[(?<a>]b", "[(?<a>]b"),
        ("(?U)a+", "a+"),
        ("(?iU)/a+?", "(?i)/a+?"),
        ("x(?U:a+)", "x(?:a+)"),
        ("(?U-i:a+)", "(?-i:a+)"),
        ("a(?U)b+", "ab+"),
    ],
)
def test_a_spelling_of_cloudflareds_alone_becomes_one_that_everybody_reads(
    text: str, spelled: str
) -> None:
    assert pattern(text) == spelled
    re.compile(spelled)


@pytest.mark.parametrize(
    "path",
    [None, "^", "^/", "/", "/*", ".*/?", "^/.*x?", "(?i)/", "()", "^(/.*)?$", "^(?:/.*)$", "^.*$",
     "^/.*", "/.*$", "$", "/?$", ".", "^.+$", "^/(a|b)?", "a|/", r"^\/"],
)  # fmt: skip
def test_a_path_that_takes_everything_in_disguise_is_seen(path: str | None) -> None:
    assert takes_everything(path)


@pytest.mark.parametrize(
    "path",
    ["^/.", "^/$", "/a*b", r"^/\.*$", "^/[^a]*$", "^(/a.*)?$", r"\b", "^$", "^/a|^/b", r"/[.*$]",
     r"/.*\$", r"\B", r"^/([^a].*|a([^d].*)?)?$"],
)  # fmt: skip
def test_a_path_that_leaves_something_is_not_said_to_take_everything(path: str) -> None:
    assert not takes_everything(path)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("^/healthz", "^/healthz/two"),
        ("/healthz", "^/healthz/two"),
        ("^/ap.*", "^/api"),
        ("^(?:/api)", "^/api"),
        ("^/(api|docs)", "^/api/v2|^/docs/v2"),
        ("(?i)^/API", "^/api"),
        ("/api", "x/api"),
        ("^/a$|^/b", "^/a$"),
        ("^/.", "^/a+"),
        ("^/api", "^/api"),
        ("/*", None),
        ("^.*$", None),
    ],
)
def test_a_path_that_is_wholly_taken_before_is_seen(first: str, second: str | None) -> None:
    assert leaves_nothing(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("^/healthz/two", "^/healthz"),
        ("^/api/[a-z]+", "^/api/"),
        ("^/api$", "^/api"),
        ("^/api", "/api"),
        ("^/api", "(?i)^/api"),
        ("^/api", "^/ap|^/api"),
        ("^/apis", "^/apis?"),
        ("^/apis", "^/apis*/x"),
        ("^/apis", "^/apis{0,2}"),
        (r"^/api\b", "^/api"),
        ("^/.", "^/"),
        ("^/.", None),
        ("^/a.c", r"^/a\dc"),
        ("/x/api", "x/api"),
    ],
)
def test_a_path_of_which_something_is_left_is_not_said_to_be_hidden(
    first: str, second: str | None
) -> None:
    assert not leaves_nothing(first, second)
