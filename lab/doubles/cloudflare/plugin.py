"""The plugin itself: its configuration, what it serves, and how it comes to the engine."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from lab.doubles.bridged.attributes import Attribute, Tf, Validator
from lab.doubles.bridged.check import Fault
from lab.doubles.bridged.resource import Bridge, BridgedDouble, BridgedResource
from lab.doubles.bridged.servicer import BridgedServicer
from lab.doubles.cloudflare.access import Application, Policy, ServiceToken
from lab.doubles.cloudflare.client import Client
from lab.doubles.cloudflare.configuration import Configuration
from lab.doubles.cloudflare.dns_record import DnsRecord
from lab.doubles.cloudflare.functions import FUNCTIONS
from lab.doubles.cloudflare.tunnel import Tunnel
from lab.doubles.install import start_command
from lab.doubles.serve import serve
from lab.doubles.values import Value

NAME = "cloudflare"
VERSION = "6.23.1"


def _matches(pattern: str, words: str) -> Validator:
    form = re.compile(pattern)

    def check(path: str, value: Value) -> Iterator[str]:
        if isinstance(value, str) and not form.fullmatch(value):
            yield f"Invalid Attribute Value. Attribute {path} {words}"

    return check


_CONFIG = (
    Attribute(
        "api_key",
        secret=True,
        validators=(
            _matches(
                r"[0-9a-f]{37}",
                "API key must be 37 characters long and only contain characters 0-9 and a-f "
                "(all lowercased)",
            ),
        ),
    ),
    Attribute(
        "api_token",
        secret=True,
        validators=(
            _matches(
                r"[0-9A-Za-z\-_]{40,80}",
                "API tokens must only contain characters a-z, A-Z, 0-9, hyphens and underscores",
            ),
        ),
    ),
    Attribute("api_user_service_key", secret=True),
    Attribute("base_url"),
    Attribute("email"),
    Attribute("user_agent_operator_suffix"),
)


def _config_faults(config: Tf) -> Iterator[Fault]:
    for key, name, other in (("apiKey", "api_key", "email"), ("email", "email", "api_key")):
        if config[name] is not None and config[other] is None:
            yield Fault(
                key,
                f'Invalid Attribute Combination. Attribute "{other}" must be specified when '
                f'"{name}" is specified',
            )


_RESOURCES: Mapping[str, BridgedResource[Client]] = {
    f"cloudflare:index/{name[:1].lower()}{name[1:]}:{name}": resource
    for name, resource in (
        ("DnsRecord", DnsRecord()),
        ("ZeroTrustAccessApplication", Application()),
        ("ZeroTrustAccessPolicy", Policy()),
        ("ZeroTrustAccessServiceToken", ServiceToken()),
        ("ZeroTrustTunnelCloudflared", Tunnel()),
        ("ZeroTrustTunnelCloudflaredConfig", Configuration()),
    )
}


def main() -> None:
    """Serve one engine."""
    bridge = Bridge(_CONFIG, _RESOURCES, FUNCTIONS, Client.of, _config_faults)
    serve(BridgedDouble(NAME, VERSION, bridge), BridgedServicer)


def plugin_command(python: Path) -> list[str]:
    """The command that serves the double, run by `python`."""
    return start_command(python, __name__)
