"""The lab's Tailscale credentials, for whoever must present one."""

from lab.errors import LabError
from lab.paths import LabPaths
from lab.tailscale.core import open_store
from lab.tailscale.state import TailnetRecord, read_state
from lab.world import World


def ensure_credentials(world: World, paths: LabPaths) -> None:
    """Make a value for each credential that has none, before the lab's process runs."""
    open_store(world.tailscale, paths.tailscale_state)


def api_key(paths: LabPaths, tailnet: str, name: str) -> str:
    """The value of the API key `name` of a tailnet; raises LabError where there is none."""
    found = _record(paths, tailnet).api_keys.get(name)
    if found is None:
        raise LabError(f"tailscale/tailnets/{tailnet}/api_keys: {name} is none of this lab's world")
    return found


def oauth_client(paths: LabPaths, tailnet: str, name: str) -> tuple[str, str]:
    """Id and secret of the OAuth client `name` of a tailnet; raises LabError."""
    found = _record(paths, tailnet).clients.get(name)
    if found is None:
        raise LabError(
            f"tailscale/tailnets/{tailnet}/oauth_clients: {name} is none of this lab's world"
        )
    return found


def _record(paths: LabPaths, tailnet: str) -> TailnetRecord:
    found = read_state(paths.tailscale_state).tailnets.get(tailnet)
    if found is None:
        raise LabError(f"tailscale/tailnets: {tailnet} is none of this lab's world")
    return found
