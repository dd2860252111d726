"""The shape of the ways in: tunnel, routes, certificates, tailnet. Rules are in ways_rules.py."""

from typing import Annotated

from pydantic import Field

from infra.settings.model import Model
from infra.settings.scalars import HostName, SecretName
from infra.settings.service_scalars import AbsolutePath, AnyPath
from infra.settings.ways_scalars import (
    LONGEST_EXPIRY_S,
    AccountId,
    BaseUrl,
    ConnectorUnit,
    LocalFile,
    OauthClientId,
    RouteHostname,
    RoutePath,
    ServedName,
    TailnetName,
    TailnetTag,
    TunnelName,
    ZoneName,
)


class Connector(Model):
    """Where cloudflared runs, which connects the tunnel to the network of the services."""

    host: HostName = Field(
        description="the host that it runs on, one of hosts: the Proxmox node (as an existing "
        "host), the container of the service, or any other"
    )
    unit: ConnectorUnit = Field(
        "cloudflared", description="its systemd unit; another one where that is taken"
    )


class Cloudflare(Model):
    """The tunnel that brings public names to services. Needed as soon as one has routes."""

    api_token: SecretName | None = Field(
        None,
        description="the entry of berth:secrets that holds the API token "
        "(else CLOUDFLARE_API_TOKEN); docs/cloudflare.md says what it must be allowed",
    )
    base_url: BaseUrl | None = Field(
        None, description="another address of the API (else CLOUDFLARE_BASE_URL)"
    )
    account: AccountId = Field(description="the account's id, 32 hex digits")
    zone: ZoneName = Field(description="the zone that all hostnames are in, such as jackshome.com")
    tunnel: TunnelName = Field(description="the tunnel's name, free on the account")
    connector: Connector = Field(description="the host that cloudflared runs on")


class Origin(Model):
    """How cloudflared speaks to the service behind a route."""

    no_tls_verify: bool = Field(
        default=False, description="true to accept any certificate of a service with tls"
    )
    server_name: ServedName | None = Field(
        None, description="the name that its certificate must have; left out, the host's address"
    )
    ca_file: AbsolutePath | None = Field(
        None, description="the file on the connector's host whose CAs are trusted for it"
    )
    http_host_header: ServedName | None = Field(
        None, description="the Host header that it gets; left out, the public name"
    )
    http2: bool = Field(default=False, description="true to speak HTTP/2 to it")
    connect_timeout_s: Annotated[int, Field(ge=1, le=600)] | None = Field(
        None, description="seconds to wait for a connection; left out, 30"
    )
    keep_alive_s: Annotated[int, Field(ge=1, le=3600)] | None = Field(
        None, description="seconds that an idle connection is kept; left out, 90"
    )


class Route(Model):
    """A public name, or a part of one, that leads to the service."""

    hostname: RouteHostname = Field(description="the public name, or *.NAME for all below it")
    path: RoutePath | None = Field(
        None, description="a regular expression (RE2) that paths must match; left out, all"
    )
    fallback: bool = Field(
        default=False, description="true for a * that gets what no other route takes"
    )
    origin: Origin = Origin()


class LocalPair(Model):
    """A certificate and its key in files of this machine."""

    certificate: LocalFile = Field(description="the file of the certificate, chain included (PEM)")
    key: LocalFile = Field(description="the file of its private key (PEM)")


class SecretPair(Model):
    """A certificate and its key among the secrets."""

    certificate: SecretName = Field(
        description="the entry of berth:secrets that holds the certificate, chain included (PEM)"
    )
    key: SecretName = Field(
        description="the entry of berth:secrets that holds its private key (PEM)"
    )


class HostPair(Model):
    """A certificate and its key that are on the host and belong to it."""

    certificate: AnyPath = Field(
        description="its path on the host, absolute or below the install path"
    )
    key: AnyPath = Field(description="the path of its key, which the service's user must read")


class Tls(Model):
    """The certificate that a service speaks HTTPS with: one of these."""

    files: LocalPair | None = Field(None, description="files of this machine, sent as secrets")
    secrets: SecretPair | None = Field(None, description="entries of berth:secrets")
    on_host: HostPair | None = Field(
        None, description="files that are on the host already: never sent, never written"
    )
    self_signed: bool = Field(
        default=False,
        description="true for one that the host makes itself, and renews before it expires",
    )


class TailnetKey(Model):
    """A key by which machines join the tailnet."""

    tags: tuple[TailnetTag, ...] = Field(
        (), strict=False, description="tags of the machines that join with it, such as tag:server"
    )
    expiry_s: Annotated[int, Field(ge=1, le=LONGEST_EXPIRY_S)] = Field(
        3600, description="seconds that it can be used for; 90 days (7776000) at most"
    )
    reusable: bool = Field(default=False, description="true to let more than one machine join")
    ephemeral: bool = Field(
        default=False, description="true to remove machines from the tailnet when they go offline"
    )
    preauthorized: bool = Field(default=True, description="whether machines need nobody's approval")
    hosts: tuple[HostName, ...] = Field(
        (), strict=False, description="the hosts that join with it; more than one need `reusable`"
    )


class Tailnet(Model):
    """The Tailscale network and the keys that this stack makes for it."""

    api_key: SecretName | None = Field(
        None,
        description="the entry of berth:secrets that holds an API key (else TAILSCALE_API_KEY)",
    )
    oauth_client_id: OauthClientId | None = Field(
        None, description="the id of an OAuth client (else TAILSCALE_OAUTH_CLIENT_ID)"
    )
    oauth_client_secret: SecretName | None = Field(
        None,
        description="the entry of berth:secrets that holds the OAuth client's secret "
        "(else TAILSCALE_OAUTH_CLIENT_SECRET)",
    )
    base_url: BaseUrl | None = Field(
        None, description="another address of the API (else TAILSCALE_BASE_URL)"
    )
    name: TailnetName = Field("-", description="the tailnet; -, the one of the credentials")
    keys: dict[HostName, TailnetKey] = Field(
        default_factory=dict, description="the keys that this stack makes, by name"
    )
