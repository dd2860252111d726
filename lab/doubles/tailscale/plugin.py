"""The plugin: what is in it, and its program."""

from collections.abc import Mapping
from pathlib import Path

from lab.doubles.bridged.attributes import Attribute, Kind, Many
from lab.doubles.bridged.resource import Bridge, BridgedDouble, BridgedFunction, BridgedResource
from lab.doubles.bridged.servicer import BridgedServicer
from lab.doubles.install import start_command
from lab.doubles.serve import serve
from lab.doubles.tailscale.client import Client
from lab.doubles.tailscale.clients import FEDERATED_IDENTITY, OAUTH_CLIENT
from lab.doubles.tailscale.devices import DeviceAuthorization, DeviceKey, DeviceTags
from lab.doubles.tailscale.dns import NAMESERVERS, PREFERENCES, SEARCH_PATHS
from lab.doubles.tailscale.key import TailnetKey
from lab.doubles.tailscale.lookups import Device, Devices
from lab.doubles.tailscale.policy import Acl

NAME = "tailscale"
VERSION = "0.29.2"
_CONFIG = (
    Attribute("api_key", secret=True),
    Attribute("audience"),
    Attribute("base_url"),
    Attribute("identity_token", secret=True),
    Attribute("identity_token_environment_variable_name"),
    Attribute("oauth_client_id"),
    Attribute("oauth_client_secret", secret=True),
    Attribute("scopes", Many(Kind.STRING)),
    Attribute("tailnet"),
    Attribute("user_agent"),
)
_RESOURCES: Mapping[str, BridgedResource[Client]] = {
    f"tailscale:index/{name[:1].lower()}{name[1:]}:{name}": resource
    for name, resource in (
        ("Acl", Acl()),
        ("DeviceAuthorization", DeviceAuthorization()),
        ("DeviceKey", DeviceKey()),
        ("DeviceTags", DeviceTags()),
        ("DnsNameservers", NAMESERVERS),
        ("DnsPreferences", PREFERENCES),
        ("DnsSearchPaths", SEARCH_PATHS),
        ("FederatedIdentity", FEDERATED_IDENTITY),
        ("OauthClient", OAUTH_CLIENT),
        ("TailnetKey", TailnetKey()),
    )
}
_FUNCTIONS: Mapping[str, BridgedFunction[Client]] = {
    "tailscale:index/getDevice:getDevice": Device(),
    "tailscale:index/getDevices:getDevices": Devices(),
}


def main() -> None:
    """Serve one engine."""
    bridge = Bridge(_CONFIG, _RESOURCES, _FUNCTIONS, Client.of)
    serve(BridgedDouble(NAME, VERSION, bridge), BridgedServicer)


def plugin_command(python: Path) -> list[str]:
    """The command that serves the double, run by `python`."""
    return start_command(python, __name__)
