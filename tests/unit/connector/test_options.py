"""The stand-in takes what the real program takes, and says what it does not understand."""

from pathlib import Path

import pytest

from lab.cloudflare.connector_token import ConnectorToken
from lab.connector.options import EDGE_HOSTS, UsageError, read

TOKEN = ConnectorToken("a" * 32, "11111111-2222-4333-8444-555555555555", "c2VjcmV0").text()


@pytest.mark.parametrize(
    "line",
    [
        f"tunnel run --token {TOKEN}",
        f"tunnel --no-autoupdate run --token={TOKEN}",
        f"--no-autoupdate tunnel --protocol http2 run -token {TOKEN} chat",
        f"tunnel --no-autoupdate=true --loglevel debug run --token {TOKEN}",
        f"tunnel run --token {TOKEN} --grace-period 0 -- chat",
    ],
)
def test_the_token_is_found_wherever_the_real_program_takes_it(line: str) -> None:
    options = read(line.split(), {})
    assert options is not None
    assert options.token == TOKEN
    assert options.tunnel_id == "11111111-2222-4333-8444-555555555555"
    assert options.edge == EDGE_HOSTS


def test_the_environment_does_what_the_command_line_leaves_open(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    environment = {"TUNNEL_TOKEN_FILE": str(file), "TUNNEL_METRICS": "127.0.0.1:1",
                   "TUNNEL_GRACE_PERIOD": "1m30s", "TUNNEL_LOGLEVEL": "warn"}  # fmt: skip
    options = read(["tunnel", "--metrics", "127.0.0.1:2", "run"], environment)
    assert options is not None
    assert (options.token, options.metrics) == (TOKEN, "127.0.0.1:2")
    assert (options.grace_period_s, options.loglevel) == (90, "warn")


@pytest.mark.parametrize(
    "flags",
    [
        "--url http://127.0.0.1:8000",
        "--credentials-file /etc/x.json --features a,b -F c",
        "--dns-resolver-addrs 1.1.1.1:53 --max-active-flows 100",
        "--no-tls-verify --hello-world --proxy-connect-timeout 5s",
    ],
)
def test_a_flag_of_the_real_program_is_taken_and_said_to_mean_nothing(flags: str) -> None:
    options = read(f"tunnel run {flags} --token {TOKEN}".split(), {})
    assert options is not None
    assert options.token == TOKEN
    assert options.ignored == tuple(
        word.lstrip("-") for word in flags.split() if word.startswith("-")
    )


def test_what_every_unit_says_is_not_complained_of() -> None:
    options = read(f"--no-autoupdate tunnel --protocol quic run --pq --token {TOKEN}".split(), {})
    assert options is not None
    assert options.ignored == ()


@pytest.mark.parametrize("said", [f" {TOKEN}", f"{TOKEN} ", f"\t{TOKEN}"])
def test_blanks_around_a_token_are_not_forgiven(said: str) -> None:
    for arguments, environment in ((["--token", said], {}), ([], {"TUNNEL_TOKEN": said})):
        with pytest.raises(UsageError, match="Provided Tunnel token is not valid"):
            read(["tunnel", "run", *arguments], environment)


@pytest.mark.parametrize("line", ["version", "--version", "-v", "tunnel --version", "help"])
def test_the_version_needs_no_token(line: str) -> None:
    assert read(line.split(), {}) is None


@pytest.mark.parametrize("line", [f"service install {TOKEN}", f"tunnel connect {TOKEN}"])
def test_a_token_in_the_wrong_place_is_not_told_to_the_journal(line: str) -> None:
    with pytest.raises(UsageError) as error:
        read(line.split(), {})
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tunnel run", "tunnel run: needs the tunnel's token"),
        ("tunnel run --token nonsense", "Provided Tunnel token is not valid."),
        ("tunnel run --token-file /nowhere", "Failed to read token file: [Errno 2]"),
        ("tunnel run --tokens x", "flag provided but not defined: -tokens"),
        ("tunnel run --token", "flag needs an argument: -token"),
        ("service install x", "service install: this stand-in"),
        ("", "nothing: this stand-in"),
        (f"tunnel --loglevel loud run --token {TOKEN}", "--loglevel: 'loud' is none of"),
        (f"tunnel --grace-period soon run --token {TOKEN}", "--grace-period: 'soon' is no duration"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_clear_sentence(line: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        read(line.split(), {})
    assert str(error.value).startswith(said)
    assert TOKEN not in str(error.value)


def test_the_token_is_not_shown_with_the_options() -> None:
    assert TOKEN not in repr(read(["tunnel", "run", "--token", TOKEN], {}))
