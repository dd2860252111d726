"""Ways in as the rest of the program sees them: complete, checked, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from infra.settings.service import Health
from infra.settings.ways import Origin, TailnetKey


@dataclass(frozen=True)
class CloudflareAccess:
    """Who asks Cloudflare, and where; `base_url` None is Cloudflare's own."""

    api_token: pulumi.Output[str] = field(repr=False)
    base_url: str | None


@dataclass(frozen=True)
class RouteSettings:
    """One route: `url` is the service as the connector reaches it."""

    service: str
    hostname: str
    path: str | None
    fallback: bool
    url: str
    origin: Origin
    health: Health
    settings_path: str


@dataclass(frozen=True)
class TunnelSettings:
    """The tunnel of a stack, and its routes in the order in which they are tried.

    `key_fingerprint` is that of the key which signs cloudflared's packages, None for the real one.
    """

    access: CloudflareAccess
    account: str
    zone: str
    name: str
    host: str
    unit: str
    key_fingerprint: str | None
    routes: tuple[RouteSettings, ...]


@dataclass(frozen=True)
class TlsSettings:
    """Where certificate and key lie on the host.

    `texts` are both where they are sent; `names` are those of a certificate that the host makes;
    with neither they are the host's own, and `verified` are the names that it must be for.
    """

    certificate: str
    key: str
    texts: tuple[pulumi.Output[str], pulumi.Output[str]] | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()


@dataclass(frozen=True)
class TailnetSettings:
    """The tailnet, how to ask for it, and the keys to make."""

    api_key: pulumi.Output[str] | None = field(repr=False)
    oauth_client_id: str | None
    oauth_client_secret: pulumi.Output[str] | None = field(repr=False)
    base_url: str | None
    name: str
    keys: Mapping[str, TailnetKey]
