"""Who asks Cloudflare and Tailscale: the stack file wins, the environment fills."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.settings.named import Named
from infra.settings.outside import Outside
from infra.settings.problems import Problem, at
from infra.settings.sound import part
from infra.settings.source import Source
from infra.settings.ways_scalars import CLOUDFLARE_TOKEN, ONE_WORD, TAILSCALE_API_KEY

Values = Mapping[str, Any]
# The provider reads them itself and would send them besides the token.
_OTHER_CLOUDFLARE_LOGINS = (
    "CLOUDFLARE_API_KEY",
    "CLOUDFLARE_EMAIL",
    "CLOUDFLARE_API_USER_SERVICE_KEY",
)


@dataclass(frozen=True)
class CloudflareLogin:
    """As much as is known; complete when no problem was found."""

    api_token: Named | None
    base_url: str | None


@dataclass(frozen=True)
class TailscaleLogin:
    """An API key, or an OAuth client with its secret."""

    api_key: Named | None
    oauth_client_id: str | None
    oauth_client_secret: Named | None
    base_url: str | None


def check_cloudflare(
    source: Source, values: Values, environment: Mapping[str, str], problems: list[Problem]
) -> CloudflareLogin:
    """Merge stack file and environment; what is missing or ill-formed is a problem."""
    outside = Outside("cloudflare", values, source, environment, problems)
    token = outside.secret("api_token", "CLOUDFLARE_API_TOKEN")
    if token and not CLOUDFLARE_TOKEN.fullmatch(token.value):
        outside.add(
            token.path,
            "is no API token of Cloudflare, which has 40 to 80 characters of A-Z, a-z, 0-9, _ "
            "and -; make one (docs/cloudflare.md)",
        )
    if token is None and "api_token" in values and values["api_token"] is None:
        outside.add(
            at("cloudflare", "api_token"),
            "missing; make a token (docs/cloudflare.md), store it: pulumi config set --secret "
            "--path 'berth:secrets.cloudflare-token', and write cloudflare-token here; or set "
            "CLOUDFLARE_API_TOKEN",
        )
    for variable in _OTHER_CLOUDFLARE_LOGINS:
        if environment.get(variable):
            outside.add(variable, "would be sent to Cloudflare besides the API token; unset it")
    return CloudflareLogin(token, outside.address("base_url", "CLOUDFLARE_BASE_URL"))


def check_tailscale(
    source: Source, values: Values, environment: Mapping[str, str], problems: list[Problem]
) -> TailscaleLogin:
    """Merge stack file and environment; one way to log in must be left, and complete."""
    outside = Outside("tailnet", values, source, environment, problems)
    stated = [key for key in ("api_key", "oauth_client_id") if values.get(key) is not None]
    if len(stated) == 2:
        outside.add("tailnet", "has both an api_key and an oauth_client_id; keep one")
    key = outside.secret("api_key", "TAILSCALE_API_KEY")
    client = outside.plain("oauth_client_id", "TAILSCALE_OAUTH_CLIENT_ID")
    secret = outside.secret("oauth_client_secret", "TAILSCALE_OAUTH_CLIENT_SECRET")
    if key and client and len(stated) < 2:
        # The provider reads the environment itself, and refuses to choose.
        stray = (
            "TAILSCALE_API_KEY" if stated == ["oauth_client_id"] else "TAILSCALE_OAUTH_CLIENT_ID"
        )
        outside.add(stray, "would be used besides the other login of the tailnet; unset it")
    if client and not secret and values.get("oauth_client_secret") is None:
        outside.add(
            at("tailnet", "oauth_client_secret"),
            f"missing; name the entry of berth:secrets that holds the secret of {client}, or set "
            "TAILSCALE_OAUTH_CLIENT_SECRET",
        )
    sound = {"api_key", "oauth_client_id"} <= values.keys()
    if not key and not client and not stated and sound:
        outside.add(
            at("tailnet", "api_key"),
            "missing; make an API key or an OAuth client (docs/tailscale.md), and name it here, "
            "or set TAILSCALE_API_KEY, or TAILSCALE_OAUTH_CLIENT_ID and _SECRET",
        )
    if key and not TAILSCALE_API_KEY.fullmatch(key.value):
        outside.add(
            key.path,
            "is no API key of Tailscale, which is tskey-api- and letters, digits and - behind it "
            "(docs/tailscale.md)",
        )
    if client and secret and not ONE_WORD.fullmatch(secret.value):
        outside.add(
            secret.path,
            "is no secret of an OAuth client, which has no blanks or line breaks in it; copy it "
            "anew (docs/tailscale.md)",
        )
    if client:
        keys = values.get("keys", {})
        for name in keys:
            if part(keys, name).get("tags") == ():
                outside.add(
                    at("tailnet", "keys", name, "tags"),
                    "missing; an OAuth client makes keys with tags only, such as [tag:server]",
                )
    return TailscaleLogin(key, client, secret, outside.address("base_url", "TAILSCALE_BASE_URL"))
