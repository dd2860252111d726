"""The one list of rules that a tunnel has, and whose each of them is. Pure.

Rules are as the API writes them: {"hostname", "path", "service", "originRequest"}; the last one has
neither hostname nor path.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.settings.ways import Origin
from infra.settings.ways_result import RouteSettings

CATCH_ALL = {"service": "http_status:404"}

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """How a rule of this stack is told from one that is not.

    `names` are (hostname, path) of the routes that earlier runs declared. `rules` are those of
    now: a run that was cut off may have written one of them already.
    """

    names: Collection[tuple[str, str]]
    rules: Sequence[Rule]

    def is_ours(self, rule: Rule) -> bool:
        """Whether this stack made `rule`."""
        return name_of(rule) in self.names or any(_same(rule, own) for own in self.rules)


def name_of(rule: Rule) -> tuple[str, str]:
    """What tells one rule of a list from another."""
    return (str(rule.get("hostname") or "").lower(), str(rule.get("path") or ""))


def is_route(rule: Rule) -> bool:
    """Whether it is for some requests only; the last rule of a list is for all."""
    return name_of(rule) not in {("", ""), ("*", "")}


def rule_of(route: RouteSettings) -> dict[str, Any]:
    """A route as a rule."""
    rule: dict[str, Any] = {"hostname": route.hostname}
    if route.path is not None:
        rule["path"] = route.path
    rule["service"] = route.url
    if origin := _origin(route.origin):
        rule["originRequest"] = origin
    return rule


def foreign(there: Iterable[Rule], known: Known) -> list[dict[str, Any]]:
    """The rules that this stack did not make, without the last one."""
    return [dict(rule) for rule in there if is_route(rule) and not known.is_ours(rule)]


def says_nothing(value: object) -> bool:
    """Whether a setting is as it is without being given."""
    if isinstance(value, Mapping):
        return all(says_nothing(part) for part in value.values())
    return not value


def _same(one: Rule, other: Rule) -> bool:
    return _stripped(one) == _stripped(other)


def _stripped(rule: Rule) -> tuple[Any, ...]:
    origin = rule.get("originRequest") or {}
    said = {key: value for key, value in origin.items() if not says_nothing(value)}
    return (*name_of(rule), rule.get("service"), said)


def _origin(origin: Origin) -> dict[str, Any]:
    values = {
        "noTLSVerify": origin.no_tls_verify or None,
        "originServerName": origin.server_name,
        "caPool": origin.ca_file,
        "httpHostHeader": origin.http_host_header,
        "http2Origin": origin.http2 or None,
        "connectTimeout": origin.connect_timeout_s,
        "keepAliveTimeout": origin.keep_alive_s,
    }
    return {key: value for key, value in values.items() if value is not None}
