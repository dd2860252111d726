"""The single values of ways in (tunnel, routes, certificates, tailnet), each with its form."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from infra.settings.checks import Parsed, SaidError, matching
from infra.settings.patterns import pattern
from infra.settings.scalars import DNS, dns_name

LONGEST_EXPIRY_S = 90 * 24 * 3600
CLOUDFLARE_TOKEN = re.compile(r"[0-9A-Za-z_-]{40,80}")
TAILSCALE_API_KEY = re.compile(r"tskey-api-[0-9A-Za-z_-]+")
ONE_WORD = re.compile(r"[!-~]+")


def _hostname(text: str) -> str:
    wildcard, name = text.startswith("*."), text.removeprefix("*.")
    if "*" in name:
        raise SaidError("may have one *, as its whole first part")
    found = dns_name(name.lower())
    if not wildcard:
        return found
    dns_name(f"a.{found}")
    return f"*.{found}"


def _zone(text: str) -> str:
    if "." not in text:
        raise ValueError(text)
    return dns_name(text.lower())


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.username is not None or parts.password is not None:
        raise SaidError("must not hold a user or password", hidden=True)
    is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    if not is_address or parts.query or parts.fragment or not re.fullmatch(r"[!-~]+", text):
        raise ValueError(text)
    return text.rstrip("/")


def _tunnel(text: str) -> str:
    if not text.strip() or text != text.strip() or len(text) > 100 or not text.isprintable():
        raise ValueError(text)
    return text


def _tag(text: str) -> str:
    if re.fullmatch(r"tag:[A-Za-z][A-Za-z0-9-]*", text):
        return text
    raise ValueError(text)


AccountId = Annotated[
    str,
    matching(
        r"[0-9a-f]{32}",
        "must be an account id, 32 characters of 0-9 and a-f (the page of the zone shows it, "
        "below API)",
    ),
]
ZoneName = Annotated[
    str,
    Parsed(_zone, "must be the name of a zone, such as jackshome.com", {"pattern": rf"^{DNS}$"}),
]
TunnelName = Annotated[
    str,
    Parsed(
        _tunnel,
        "must be a name of up to 100 characters, without blanks around it",
        {"minLength": 1, "maxLength": 100},
    ),
]
ConnectorUnit = Annotated[
    str,
    matching(
        r"cloudflared(?:-[a-z0-9]{1,40})?",
        "must be cloudflared, or cloudflared- and up to 40 characters of a-z and 0-9",
    ),
]
RouteHostname = Annotated[
    str,
    Parsed(
        _hostname,
        "must be a public name, such as chat.jackshome.com, or *.jackshome.com",
        {"pattern": rf"^(?:\*\.)?{DNS}$"},
    ),
]
ServedName = Annotated[
    str,
    Parsed(
        dns_name,
        "must be a DNS name: labels of A-Z, a-z, 0-9 and -, joined with dots",
        {"pattern": f"^{DNS}$", "maxLength": 253},
    ),
]
RoutePath = Annotated[
    str, Parsed(pattern, "must be a regular expression, such as ^/api", {"minLength": 1})
]
BaseUrl = Annotated[
    str,
    Parsed(
        _base_url,
        "must be the address of the API, such as https://api.example.org/v4",
        {"pattern": "^https?://"},
    ),
]
TailnetTag = Annotated[
    str,
    Parsed(
        _tag,
        "must be of the form tag:NAME, with a letter first and A-Z, a-z, 0-9 and - after it",
        {"pattern": "^tag:[A-Za-z][A-Za-z0-9-]*$"},
    ),
]
TailnetName = Annotated[
    str, matching(r"-|[A-Za-z0-9][A-Za-z0-9@._-]*", "must be the name of a tailnet, or -")
]
OauthClientId = Annotated[
    str, matching(r"[0-9A-Za-z_-]+", "must be the id of an OAuth client, such as k123CNTRL")
]
LocalFile = Annotated[
    str, matching(r"[^\0\n]+", "must be the path of a file, as seen from the project")
]
