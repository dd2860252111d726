"""The resources of the cloudflare provider that are used here, declared by their own names.

`pulumi_cloudflare` has six hundred, and takes 2 s to import (0.6 s where only the modules that
these need are loaded), most of the time of a preview with nothing to change. So it is not imported
at all; it stays among the requirements, since `pulumi install` gets the provider plugin by it, and
a test holds every name below to its classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

VERSION = "6.23.1"
TUNNEL = "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"
CONFIG = "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"

INPUTS: Mapping[str, Sequence[str]] = {
    TUNNEL: ("accountId", "name", "configSrc"),
    CONFIG: ("accountId", "tunnelId", "config"),
    RECORD: ("zoneId", "name", "type", "content", "proxied", "ttl", "comment"),
}
OUTPUTS: Mapping[str, Sequence[str]] = {CONFIG: ("version",), RECORD: ("modifiedOn",)}
"""What each answer to a change says anew."""
ORIGIN = {
    "caPool": "caPool",
    "connectTimeout": "connectTimeout",
    "disableChunkedEncoding": "disableChunkedEncoding",
    "http2Origin": "http2Origin",
    "httpHostHeader": "httpHostHeader",
    "keepAliveConnections": "keepAliveConnections",
    "keepAliveTimeout": "keepAliveTimeout",
    "matchSNItoHost": "matchSnItoHost",
    "noHappyEyeballs": "noHappyEyeballs",
    "noTLSVerify": "noTlsVerify",
    "originServerName": "originServerName",
    "proxyType": "proxyType",
    "tcpKeepAlive": "tcpKeepAlive",
    "tlsTimeout": "tlsTimeout",
}
"""What the API calls a setting of an origin, and what the provider does."""
RULE = ("hostname", "path", "service")
ACCESS = {"audTag": "audTags", "teamName": "teamName", "required": "required"}


class Provider(pulumi.ProviderResource):
    """The provider, with everything passed on explicitly."""

    def __init__(self, name: str, api_token: pulumi.Output[str], base_url: str | None) -> None:
        token: pulumi.Output[str] = pulumi.Output.secret(api_token)
        super().__init__("cloudflare", name, {"apiToken": token, "baseUrl": base_url}, _opts(None))


class Resource(pulumi.CustomResource):
    """One resource; its inputs are held to the names that the provider knows."""

    def __init__(
        self, kind: str, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions
    ) -> None:
        if unknown := set(inputs) - set(INPUTS[kind]):
            raise TypeError(f"{kind} has no {', '.join(sorted(unknown))}")
        self._outputs = OUTPUTS.get(kind, ())
        outputs = dict.fromkeys(self._outputs)
        super().__init__(kind, name, {**outputs, **inputs}, _opts(opts))

    @property
    def written(self) -> list[pulumi.Output[Any]]:
        """Changes whenever it is made, or changed in place."""
        return [self.id, *(getattr(self, name) for name in self._outputs)]


def config(ingress: Sequence[Mapping[str, Any]], rest: Mapping[str, Any]) -> dict[str, Any]:
    """A whole configuration, from how the API writes it; `rest` is what stands beside the list."""
    origin = _origin(rest.get("originRequest"))
    whole: dict[str, Any] = {"ingresses": [_rule(rule) for rule in ingress]}
    return {**whole, "originRequest": origin} if origin else whole


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: rule[key] for key in RULE if rule.get(key)}
    origin = _origin(rule.get("originRequest"))
    return {**found, "originRequest": origin} if origin else found


def _origin(origin: Mapping[str, Any] | None) -> dict[str, Any]:
    given = origin or {}
    found = _named(given, ORIGIN)
    access = _named(given.get("access") or {}, ACCESS)
    return {**found, "access": access} if access else found


def _named(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        names[key]: value for key, value in values.items() if key in names and value is not None
    }


def _opts(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(version=VERSION))
