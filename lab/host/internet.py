"""What stands for the rest of the world in a lab: its addresses and names. Pure.

The addresses are those set aside for documentation. They are the lab's own router's, so that
every machine of the lab reaches them over its gateway, as it would the real ones.
"""

from ipaddress import IPv4Address

EDGE = IPv4Address("203.0.113.10")
"""Where every published name leads."""
CONNECTORS = {
    "region1.v2.argotunnel.com": IPv4Address("203.0.113.21"),
    "region2.v2.argotunnel.com": IPv4Address("203.0.113.22"),
}
"""Where connectors come in, at port 7844."""
CONNECTOR_PORT = 7844
CLOUDFLARE = ("cloudflare.lab", IPv4Address("203.0.113.30"))
TAILSCALE = ("tailscale.lab", IPv4Address("203.0.113.31"))
CONNECTOR_PACKAGES = ("pkg.cloudflare.com", IPv4Address("203.0.113.40"))
VISITOR = IPv4Address("198.51.100.7")
"""Who asks with `lab curl`: somebody in no network of the lab's machines."""

ADDRESSES = (
    EDGE,
    *CONNECTORS.values(),
    CLOUDFLARE[1],
    TAILSCALE[1],
    CONNECTOR_PACKAGES[1],
    VISITOR,
)
NAMES = {
    **CONNECTORS,
    CLOUDFLARE[0]: CLOUDFLARE[1],
    TAILSCALE[0]: TAILSCALE[1],
    CONNECTOR_PACKAGES[0]: CONNECTOR_PACKAGES[1],
}
