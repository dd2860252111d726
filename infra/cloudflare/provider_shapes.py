"""Rules as the API writes them, as the classes of the provider."""

from collections.abc import Mapping, Sequence
from typing import Any

from infra.cloudflare.sdk import (
    ZeroTrustTunnelCloudflaredConfigConfigArgs,
    ZeroTrustTunnelCloudflaredConfigConfigIngressArgs,
    ZeroTrustTunnelCloudflaredConfigConfigIngressOriginRequestAccessArgs,
    ZeroTrustTunnelCloudflaredConfigConfigIngressOriginRequestArgs,
    ZeroTrustTunnelCloudflaredConfigConfigOriginRequestAccessArgs,
    ZeroTrustTunnelCloudflaredConfigConfigOriginRequestArgs,
)

_ORIGIN = {
    "caPool": "ca_pool",
    "connectTimeout": "connect_timeout",
    "disableChunkedEncoding": "disable_chunked_encoding",
    "http2Origin": "http2_origin",
    "httpHostHeader": "http_host_header",
    "keepAliveConnections": "keep_alive_connections",
    "keepAliveTimeout": "keep_alive_timeout",
    "matchSNItoHost": "match_sn_ito_host",
    "noHappyEyeballs": "no_happy_eyeballs",
    "noTLSVerify": "no_tls_verify",
    "originServerName": "origin_server_name",
    "proxyType": "proxy_type",
    "tcpKeepAlive": "tcp_keep_alive",
    "tlsTimeout": "tls_timeout",
}
_ACCESS = {"audTag": "aud_tags", "teamName": "team_name", "required": "required"}


def config_args(
    ingress: Sequence[Mapping[str, Any]], rest: Mapping[str, Any]
) -> ZeroTrustTunnelCloudflaredConfigConfigArgs:
    """A whole configuration; `rest` is what stands beside the list."""
    origin = rest.get("originRequest")
    return ZeroTrustTunnelCloudflaredConfigConfigArgs(
        ingresses=[_ingress(rule) for rule in ingress],
        origin_request=(
            ZeroTrustTunnelCloudflaredConfigConfigOriginRequestArgs(
                **_named(origin, _ORIGIN),
                **_access(origin, ZeroTrustTunnelCloudflaredConfigConfigOriginRequestAccessArgs),
            )
            if origin
            else None
        ),
    )


def _ingress(rule: Mapping[str, Any]) -> ZeroTrustTunnelCloudflaredConfigConfigIngressArgs:
    origin = rule.get("originRequest")
    access = ZeroTrustTunnelCloudflaredConfigConfigIngressOriginRequestAccessArgs
    return ZeroTrustTunnelCloudflaredConfigConfigIngressArgs(
        service=rule["service"],
        hostname=rule.get("hostname") or None,
        path=rule.get("path") or None,
        origin_request=(
            ZeroTrustTunnelCloudflaredConfigConfigIngressOriginRequestArgs(
                **_named(origin, _ORIGIN), **_access(origin, access)
            )
            if origin
            else None
        ),
    )


def _access(origin: Mapping[str, Any], kind: type) -> dict[str, Any]:
    access = origin.get("access")
    return {"access": kind(**_named(access, _ACCESS))} if access else {}


def _named(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        names[key]: value for key, value in values.items() if key in names and value is not None
    }
