"""The lab's Cloudflare tokens, for whoever must present one."""

from lab.cloudflare.core import open_store
from lab.cloudflare.state import read_state
from lab.errors import LabError
from lab.paths import LabPaths
from lab.world import World


def ensure_credentials(world: World, paths: LabPaths) -> None:
    """Make a value for each token that has none, before the lab's process runs."""
    open_store(world.cloudflare, paths.cloudflare_state)


def api_token(paths: LabPaths, name: str) -> str:
    """The value of the world's token `name`; raises LabError where there is none."""
    record = read_state(paths.cloudflare_state).tokens.get(name)
    if record is None:
        raise LabError(f"cloudflare/tokens: {name} is none of this lab's world")
    return record.value
