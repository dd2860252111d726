"""The document and the unit of a connector: cloudflared on a host, with a token of its own."""

from typing import Any

from infra.settings.ways_result import TunnelSettings
from infra.text.document import FORMAT, LOCK_LIMIT_S
from infra.text.quoting import command_line
from infra.text.render import render

START_LIMIT_S = 90
USUAL_UNIT = "cloudflared"
REPOSITORY = "https://pkg.cloudflare.com"
KEY_URL = f"{REPOSITORY}/cloudflare-main.gpg"
# "CloudFlare Software Packaging 2025", as Cloudflare's documentation has it since October 2025:
# https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/
FINGERPRINT = "CC94B39C77AE7342A68B89628A682D308D4E5E73"
RING = "/usr/share/keyrings/cloudflare-main.gpg"
LIST = "/etc/apt/sources.list.d/cloudflared.list"


def disconnect(settings: TunnelSettings, *, owner: str) -> dict[str, Any]:
    """The document of `disconnect`."""
    return {
        "format": FORMAT,
        "unit": settings.unit,
        "owner": owner,
        "user": settings.unit,
        "token_file": token_file(settings.unit),
        "secrets": [],
        "lock_limit_s": LOCK_LIMIT_S,
    }


def connect(settings: TunnelSettings, token: str, *, owner: str) -> dict[str, Any]:
    """The document of `connect`."""
    return disconnect(settings, owner=owner) | {
        "token": token,
        "secrets": [token],
        "service": unit(settings, owner=owner),
        "start_limit_s": START_LIMIT_S,
        "package": {
            "name": "cloudflared",
            "key_url": KEY_URL,
            "fingerprint": (settings.key_fingerprint or FINGERPRINT).upper(),
            "ring": RING,
            "list": LIST,
            "source": f"deb [signed-by={RING}] {REPOSITORY}/cloudflared any main\n",
        },
    }


def unit(settings: TunnelSettings, *, owner: str) -> str:
    """The text of the unit. The token is in a file: a command line can be read by anyone."""
    words = ["/usr/bin/cloudflared", "--no-autoupdate", "tunnel", "run"]
    return render(
        "cloudflared.service.j2",
        owner=owner,
        user=settings.unit,
        unit=settings.unit,
        command=command_line([*words, "--token-file", token_file(settings.unit)]),
        start_limit_s=START_LIMIT_S,
    )


def name_of(host: str, unit_name: str) -> str:
    """What a state knows the steps of a connector by. No name of a host has a dot."""
    return host if unit_name == USUAL_UNIT else f"{host}.{unit_name}"


def host_of(name: str) -> str:
    """The host of a name that `name_of` gives."""
    return name.partition(".")[0]


def token_file(unit_name: str) -> str:
    """Where the token lies, for the user of the unit alone."""
    return f"/etc/{unit_name}/token"
