"""Whether a tunnel's configuration is one that connectors can follow. Pure.

The rules are those of cloudflared, which refuses the same in a configuration file.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from lab.cloudflare.errors import ApiError
from lab.connector.pattern import compiled

_SCHEMES = {
    "http",
    "https",
    "ws",
    "wss",
    "tcp",
    "ssh",
    "rdp",
    "smb",
    "unix",
    "unix+tls",
}
_WORDS = {"hello_world", "hello-world", "bastion", "socks-proxy"}
_ORIGIN_TYPES: Mapping[str, type] = {
    "noTLSVerify": bool,
    "disableChunkedEncoding": bool,
    "http2Origin": bool,
    "noHappyEyeballs": bool,
    "matchSNItoHost": bool,
    "caPool": str,
    "httpHostHeader": str,
    "originServerName": str,
    "proxyType": str,
    "connectTimeout": int,
    "keepAliveConnections": int,
    "keepAliveTimeout": int,
    "tcpKeepAlive": int,
    "tlsTimeout": int,
    "access": dict,
}


def require_valid(config: object) -> None:
    """Raises ApiError 1056 with the first fault of `config`."""
    for fault in _faults(config):
        raise ApiError(400, 1056, f"Bad Configuration: {fault}")


def _faults(config: object) -> Iterator[str]:
    if not isinstance(config, dict):
        yield "config must be an object"
        return
    yield from _origin_faults(config.get("originRequest"), "originRequest")
    ingress = config.get("ingress")
    if ingress is None:
        return
    if not isinstance(ingress, list) or not ingress:
        yield "ingress must be a list with at least one rule"
        return
    last = len(ingress) - 1
    for index, rule in enumerate(ingress):
        yield from _rule_faults(index, rule, last=index == last)


def _rule_faults(index: int, rule: object, *, last: bool) -> Iterator[str]:
    number = index + 1
    if not isinstance(rule, dict):
        yield f"Rule #{number} must be an object"
        return
    hostname, path = rule.get("hostname") or "", rule.get("path") or ""
    if not isinstance(hostname, str) or not isinstance(path, str):
        yield f"Rule #{number}: hostname and path must be strings"
        return
    yield from _service_faults(number, rule.get("service"))
    if "*" in hostname.removeprefix("*.") and hostname != "*":
        yield (
            'Hostname patterns can have at most one wildcard character ("*") and it can only be '
            'used for subdomains, e.g. "*.example.com"'
        )
    if ":" in hostname:
        yield "Hostname cannot contain a port"
    try:
        compiled(path)
    except re.error as error:
        yield f"Rule #{number} has an invalid regex: {error}"
    everything = hostname in {"", "*"} and not path
    if last and not everything:
        yield (
            "The last ingress rule must match all URLs "
            "(i.e. it should not have a hostname or path filter)"
        )
    if everything and not last:
        yield (
            f"Rule #{number} is matching the hostname '{hostname}', but this will match every "
            "hostname, meaning the rules which follow it will never be triggered."
        )
    yield from _origin_faults(rule.get("originRequest"), f"Rule #{number}: originRequest")


def _service_faults(number: int, service: object) -> Iterator[str]:
    if not isinstance(service, str) or not service:
        yield f"Rule #{number}: service is missing"
        return
    if service in _WORDS:
        return
    if service.startswith("http_status:"):
        code = service.removeprefix("http_status:")
        if not code.isdecimal() or not 100 <= int(code) <= 999:
            yield f"invalid HTTP status code: {code}"
        return
    try:
        parts = urlsplit(service)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        yield f"{service} is an invalid address: {error}"
        return
    if parts.scheme not in _SCHEMES:
        yield f"{service} is an invalid address, please make sure it has a scheme and a hostname"
    elif parts.scheme.startswith("unix"):
        if not parts.path:
            yield f"{service} is an invalid address: it names no socket"
    elif not host:
        yield f"{service} is an invalid address, please make sure it has a scheme and a hostname"
    elif parts.path:
        yield (
            f"{service} is an invalid address, ingress rules don't support proxying to a "
            "different path on the origin service. The path will be the same as the eyeball "
            "request's path"
        )


def _origin_faults(origin: object, where: str) -> Iterator[str]:
    if origin is None:
        return
    if not isinstance(origin, dict):
        yield f"{where} must be an object"
        return
    for key, kind in _ORIGIN_TYPES.items():
        value = origin.get(key)
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if value is not None and not fits:
            yield f"{where}: {key} has a value of a wrong type"
