"""Cloudflare and Tailscale in a stack: what its file states, and what a lab puts in its place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.stack.tree import Node, at, text_at

_CLOUDFLARE = ("config", "berth:cloudflare")
_TAILNET = ("config", "berth:tailnet")


@dataclass(frozen=True)
class CloudRoles:
    """Values of a stack file that have a meaning here; None where it states none.

    Tokens, keys and secrets are names of entries of `berth:secrets`.
    """

    cloudflare_url: str | None = None
    cloudflare_token: str | None = None
    tailscale_url: str | None = None
    tailscale_key: str | None = None
    tailscale_client: str | None = None
    tailscale_secret: str | None = None

    @classmethod
    def of(cls, root: Node | None) -> "CloudRoles":
        """Read from a document's tree; anything of another shape counts as not stated."""
        return cls(
            cloudflare_url=text_at(root, *_CLOUDFLARE, "base_url"),
            cloudflare_token=text_at(root, *_CLOUDFLARE, "api_token"),
            tailscale_url=text_at(root, *_TAILNET, "base_url"),
            tailscale_key=text_at(root, *_TAILNET, "api_key"),
            tailscale_client=text_at(root, *_TAILNET, "oauth_client_id"),
            tailscale_secret=text_at(root, *_TAILNET, "oauth_client_secret"),
        )


@dataclass(frozen=True)
class CloudSide:
    """What the lab puts in place of a stack's own: base URLs, and credentials when needed.

    A credential is the empty text in a lab whose world has none.
    """

    cloudflare_url: str
    tailscale_url: str
    cloudflare_token: Callable[[], str]
    tailscale_key: Callable[[], str]
    tailscale_client: Callable[[], str]
    tailscale_secret: Callable[[], str]

    def secret(self, name: str, roles: CloudRoles) -> str | None:
        """The value of the stack's secret `name`; None where it is none of these."""
        known = (
            (roles.cloudflare_token, self.cloudflare_token),
            (roles.tailscale_key, self.tailscale_key),
            (roles.tailscale_secret, self.tailscale_secret),
        )
        return next((value() for role, value in known if role == name), None)

    def exchanged(self, root: Node, roles: CloudRoles) -> Iterator[tuple[Node | None, str]]:
        """The places of the file that say what is not so in the lab, with what is."""
        places = (
            (roles.cloudflare_url, self.cloudflare_url, (*_CLOUDFLARE, "base_url")),
            (roles.tailscale_url, self.tailscale_url, (*_TAILNET, "base_url")),
        )
        for stated, value, place in places:
            if stated is not None and stated != value:
                yield at(root, *place), value
        client = roles.tailscale_client
        if client is not None and client != (own := self.tailscale_client()):
            yield at(root, *_TAILNET, "oauth_client_id"), own

    def environment(self, roles: CloudRoles) -> dict[str, str]:
        """What the stack leaves open."""
        filled: dict[str, str] = {}
        if roles.cloudflare_url is None:
            filled["CLOUDFLARE_BASE_URL"] = self.cloudflare_url
        if roles.cloudflare_token is None:
            filled["CLOUDFLARE_API_TOKEN"] = self.cloudflare_token()
        if roles.tailscale_url is None:
            filled["TAILSCALE_BASE_URL"] = self.tailscale_url
        client, secret = roles.tailscale_client, roles.tailscale_secret
        if roles.tailscale_key is None and client is None and secret is None:
            filled["TAILSCALE_API_KEY"] = self.tailscale_key()
        elif roles.tailscale_key is None:
            if client is None:
                filled["TAILSCALE_OAUTH_CLIENT_ID"] = self.tailscale_client()
            if secret is None:
                filled["TAILSCALE_OAUTH_CLIENT_SECRET"] = self.tailscale_secret()
        return {name: value for name, value in filled.items() if value}
