"""The command line and the environment, as cloudflared takes them. Pure, but for a token's file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.cloudflare.connector_token import ConnectorToken
from lab.connector.flags import (
    IGNORED,
    IGNORED_SWITCHES,
    SWITCHES,
    TAKEN,
    TELLING,
    WITH_VALUE,
)
from lab.connector.log import LEVELS

VERSION = "2026.11.0"
ABOUT = f"cloudflared version {VERSION} (berth lab stand-in, not Cloudflare's program)"
EDGE_PORT = 7844
EDGE_HOSTS = (f"region1.v2.argotunnel.com:{EDGE_PORT}", f"region2.v2.argotunnel.com:{EDGE_PORT}")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


class UsageError(Exception):
    """What was asked for makes no sense; the text is for the person."""


@dataclass(frozen=True)
class Options:
    """What `tunnel run` was told. `metrics` and files empty where not given; times in seconds.

    `ignored` are flags of the real program that change nothing here.
    """

    token: str = field(repr=False)
    metrics: str = ""
    loglevel: str = "info"
    logfile: str = ""
    pidfile: str = ""
    grace_period_s: float = 30
    retries: int = 5
    edge: tuple[str, ...] = EDGE_HOSTS
    cacert: str = ""
    ignored: tuple[str, ...] = ()

    @property
    def tunnel_id(self) -> str:
        """Of the tunnel that the token is for."""
        token = ConnectorToken.parse(self.token)
        return token.tunnel if token else ""


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> Options | None:
    """The options of `tunnel run`; None where only what this is was asked for. UsageError."""
    words, given = _split(arguments)
    if words[:1] in (["version"], ["help"]) or TELLING & given.keys():
        return None
    if words[:2] != ["tunnel", "run"]:
        # What follows may be a token.
        asked = " ".join(words[:2]) or "nothing"
        raise UsageError(
            f"{asked}: this stand-in for cloudflared only does `cloudflared tunnel run` and "
            "`cloudflared version`"
        )
    said = {
        name: given.get(name) or environment.get(variable, "") for name, variable in TAKEN.items()
    }
    level = said["loglevel"] or "info"
    if level not in LEVELS:
        raise UsageError(f"--loglevel: {level!r} is none of {', '.join(LEVELS)}")
    if not (said["retries"] or "0").isdigit():
        raise UsageError(f"--retries: {said['retries']!r} is no number")
    return Options(
        token=_token(said["token"], said["token-file"]),
        metrics=said["metrics"],
        loglevel=level,
        logfile=said["logfile"],
        pidfile=said["pidfile"],
        grace_period_s=_duration(said["grace-period"] or "30s"),
        retries=int(said["retries"] or 5),
        edge=tuple(said["edge"].split(",")) if said["edge"] else EDGE_HOSTS,
        cacert=said["cacert"],
        ignored=tuple(name for name in given if name in IGNORED | IGNORED_SWITCHES),
    )


def _split(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    words: list[str] = []
    given: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            words += rest
            break
        if not argument.startswith("-") or argument == "-":
            words.append(argument)
            continue
        name, equals, value = argument.lstrip("-").partition("=")
        if name in SWITCHES:
            given[name] = value or "true"
        elif name in WITH_VALUE:
            found = value if equals else next(rest, None)
            if found is None:
                raise UsageError(f"flag needs an argument: -{name}")
            given[name] = found
        else:
            raise UsageError(f"flag provided but not defined: -{name}")
    return words, given


def _token(text: str, file: str) -> str:
    if not text and file:
        try:
            text = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"Failed to read token file: {error}") from error
    if not text:
        raise UsageError(
            "tunnel run: needs the tunnel's token: --token-file FILE, TUNNEL_TOKEN_FILE, --token "
            "or TUNNEL_TOKEN; this stand-in knows no credentials file"
        )
    if ConnectorToken.parse(text) is None:
        raise UsageError("Provided Tunnel token is not valid.")
    return text


def _duration(text: str) -> float:
    if text == "0":
        return 0
    parts = re.findall(r"(\d+\.?\d*|\.\d+)(ms|s|m|h)", text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise UsageError(f"--grace-period: {text!r} is no duration; for instance 30s")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
