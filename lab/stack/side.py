"""What a lab puts in place of a stack's own values: from its world and its own state."""

from functools import partial
from urllib.parse import urlsplit

from lab.cloudflare.credentials import api_token
from lab.connector.repository.key import signing_key
from lab.paths import LabPaths
from lab.proxmox.credentials import password, token_secret
from lab.stack.clouds import CloudSide
from lab.stack.copy import LabSide
from lab.stack.passphrase import lab_passphrase
from lab.tailscale.credentials import api_key, oauth_client
from lab.world import World


def node_endpoint(world: World) -> str:
    """Where the API answers in a lab that has containers: at the node's own address."""
    node = world.proxmox.node
    return f"https://{node.address.ip}:{node.port}/"


def lab_side(
    paths: LabPaths, world: World, endpoint: str, *, cloudflare_url: str, tailscale_url: str
) -> LabSide:
    """For a lab whose API answers at `endpoint`: `node_endpoint(world)`, or a loopback address."""
    answers_at = {(urlsplit(endpoint).hostname or "", urlsplit(endpoint).port or 443)}
    if endpoint == node_endpoint(world):
        node = world.proxmox.node
        answers_at |= {(name.lower(), node.port) for name in node.dns_names}
    token = world.stack.api_token
    return LabSide(
        passphrase=lab_passphrase(paths.stacks / "passphrase.json"),
        endpoint=endpoint,
        answers_at=answers_at,
        users=set(world.proxmox.users),
        login=world.stack.login,
        api_token=lambda: f"{token}={token_secret(paths, token)}",
        password=partial(password, paths),
        private_key=lambda: paths.ssh_key.read_text(encoding="utf-8"),
        connector_key=lambda: signing_key(paths).fingerprint,
        clouds=CloudSide(
            cloudflare_url=cloudflare_url,
            tailscale_url=tailscale_url,
            cloudflare_token=partial(_cloudflare_token, paths, world),
            tailscale_key=partial(_tailscale_key, paths, world),
            tailscale_client=lambda: _tailscale_client(paths, world)[0],
            tailscale_secret=lambda: _tailscale_client(paths, world)[1],
        ),
        secrets=world.secrets,
    )


def _cloudflare_token(paths: LabPaths, world: World) -> str:
    name = world.stack.cloudflare_token
    return api_token(paths, name) if name is not None else ""


def _tailscale_key(paths: LabPaths, world: World) -> str:
    tailnet, name = world.stack.tailnet, world.stack.tailscale_key
    return api_key(paths, tailnet, name) if tailnet is not None and name is not None else ""


def _tailscale_client(paths: LabPaths, world: World) -> tuple[str, str]:
    tailnet, name = world.stack.tailnet, world.stack.tailscale_client
    if tailnet is None or name is None:
        return "", ""
    return oauth_client(paths, tailnet, name)
