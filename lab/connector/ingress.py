"""A tunnel's configuration: which request goes to which service, and how. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, urlsplit

from lab.connector.pattern import compiled

Json = Mapping[str, Any]
_STATUS = "http_status:"
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SCHEMES = ("http", "https", "ws", "wss")
_ONLY_THE_REAL_ONE = ("tcp:", "ssh:", "rdp:", "smb:")
_WORDS = ("bastion", "hello_world", "hello-world", "socks-proxy")
_FIRST_FINAL_STATUS = 200


@dataclass(frozen=True)
class OriginRequest:
    """How a service is asked. Times in seconds, 0 is no limit; an empty text is "not given"."""

    no_tls_verify: bool = False
    http_host_header: str = ""
    origin_server_name: str = ""
    match_sni_to_host: bool = False
    ca_pool: str = ""
    connect_timeout_s: float = 30
    tls_timeout_s: float = 10
    keep_alive_timeout_s: float = 90
    keep_alive_connections: int = 100

    @classmethod
    def of(cls, *settings: Json) -> "OriginRequest":
        """From the API's spelling; the later of `settings` win. ValueError with the key."""
        said = {k: v for given in settings for k, v in given.items() if v is not None}
        return cls(
            no_tls_verify=bool(said.get("noTLSVerify", False)),
            http_host_header=str(said.get("httpHostHeader", "")),
            origin_server_name=str(said.get("originServerName", "")),
            match_sni_to_host=bool(said.get("matchSNItoHost", False)),
            ca_pool=str(said.get("caPool", "")),
            connect_timeout_s=_seconds(said, "connectTimeout", 30),
            tls_timeout_s=_seconds(said, "tlsTimeout", 10),
            keep_alive_timeout_s=_seconds(said, "keepAliveTimeout", 90),
            keep_alive_connections=int(said.get("keepAliveConnections", 100)),
        )


@dataclass(frozen=True)
class Rule:
    """One entry of the list. `hostname` empty or `*` is any, `path` is searched for, not matched
    from the beginning.
    """

    hostname: str
    path: str
    service: str
    origin: OriginRequest

    def matches(self, host: str, path: str) -> bool:
        """Whether a request for `path` of `host` (lower case, no port) is this rule's."""
        below = self.hostname.startswith("*.") and host.endswith(self.hostname[1:])
        if self.hostname not in {"", "*", host} and not below:
            return False
        return self._pattern is None or self._pattern.search(path) is not None

    @cached_property
    def status(self) -> int | None:
        """Of a rule that only answers."""
        text = self.service.removeprefix(_STATUS)
        return int(text) if self.service.startswith(_STATUS) else None

    @property
    def is_beyond(self) -> bool:
        """Whether only the real program could serve it: such a rule does not spoil the others."""
        if self.service in _WORDS or self.service.startswith(_ONLY_THE_REAL_ONE):
            return True
        return self.status is not None and self.status < _FIRST_FINAL_STATUS

    @cached_property
    def socket(self) -> str | None:
        """The path of a service that listens on a socket file."""
        scheme, _, path = self.service.partition(":")
        return path if scheme in {"unix", "unix+tls"} else None

    @cached_property
    def url(self) -> SplitResult:
        return urlsplit(self.service)

    @cached_property
    def encrypted(self) -> bool:
        return self.service.startswith(("https:", "wss:", "unix+tls:"))

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return compiled(self.path) if self.path else None


_NOTHING = Rule("", "", f"{_STATUS}503", OriginRequest())


@dataclass(frozen=True)
class Ingress:
    """The rules in their order; the last one takes what no other took."""

    rules: Sequence[Rule] = (_NOTHING,)

    @classmethod
    def of(cls, config: Json) -> "Ingress":
        """From a configuration as the API has it; without rules everything is answered 503.

        ValueError says which rule cannot be followed, and why.
        """
        common = config.get("originRequest") or {}
        given = config.get("ingress") or []
        rules = [_rule(number, entry, common) for number, entry in enumerate(given)]
        return cls(rules or (_NOTHING,))

    def find(self, host: str, path: str) -> tuple[int, Rule]:
        """The first rule that fits, with its number."""
        for number, rule in enumerate(self.rules):
            if rule.matches(host, path):
                return number, rule
        return len(self.rules) - 1, self.rules[-1]


def _rule(number: int, entry: Json, common: Json) -> Rule:
    where = f"rule {number}"
    service = str(entry.get("service", ""))
    path = str(entry.get("path") or "")
    try:
        compiled(path)
    except re.error as error:
        raise ValueError(f"{where}: path {path!r} is no pattern: {error}") from error
    try:
        origin = OriginRequest.of(common, entry.get("originRequest") or {})
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    hostname = _ascii(str(entry.get("hostname") or ""))
    rule = Rule(hostname=hostname, path=path, service=service, origin=origin)
    if service.startswith(_STATUS):
        if not service.removeprefix(_STATUS).isdigit() or not 100 <= int(rule.status or 0) <= 999:
            raise ValueError(f"{where}: {service} is no status")
    elif rule.is_beyond:
        return rule
    elif rule.socket is None and (rule.url.scheme not in _SCHEMES or not rule.url.hostname):
        raise ValueError(
            f"{where}: service {service!r} is nothing that this stand-in can do; "
            "it knows http://, https://, ws://, wss://, unix: and http_status:"
        )
    return rule


def _ascii(hostname: str) -> str:
    """A name as visitors ask for it: labels with letters beyond ASCII in punycode."""
    labels = unicodedata.normalize("NFKC", hostname).lower().split(".")
    return ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels
    )


def _seconds(said: Mapping[str, Any], key: str, default: float) -> float:
    value = said.get(key, default)
    if isinstance(value, int | float):
        return float(value)
    parts = _DURATION.findall(str(value))
    if not parts or "".join(f"{n}{unit}" for n, unit in parts) != str(value):
        raise ValueError(f"{key}: {value!r} is no duration")
    return sum(float(n) * _SECONDS[unit] for n, unit in parts)
