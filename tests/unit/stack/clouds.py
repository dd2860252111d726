"""A lab's Cloudflare and Tailscale, with values that the tests recognise."""

from lab.stack.clouds import CloudSide

CLOUDS = CloudSide(
    cloudflare_url="https://cloudflare.lab/client/v4",
    tailscale_url="https://tailscale.lab",
    cloudflare_token=lambda: "lab-cloudflare-token",
    tailscale_key=lambda: "tskey-api-lab",
    tailscale_client=lambda: "lab-client",
    tailscale_secret=lambda: "tskey-client-lab",
)
