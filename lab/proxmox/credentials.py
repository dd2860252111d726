"""The secrets of the lab's own users and tokens, for whoever points a stack at the lab."""

from lab.errors import LabError
from lab.paths import LabPaths
from lab.proxmox.state import Store, read_state
from lab.world import World


def ensure_credentials(world: World, paths: LabPaths) -> None:
    """Make the secrets that the world leaves open, unless they are there."""
    Store.open(paths.proxmox_state, world)


def token_secret(paths: LabPaths, token_id: str) -> str:
    """The secret of `user@realm!name`; raises LabError when there is no such token."""
    userid, _, name = token_id.partition("!")
    user = read_state(paths.proxmox_state).users.get(userid)
    if user is None or name not in user.tokens:
        raise LabError(f"{token_id}: is no token of lab {paths.name}; add it to the world file")
    return user.tokens[name].secret


def password(paths: LabPaths, userid: str) -> str:
    """The password of `user@realm`; raises LabError when there is no such user."""
    user = read_state(paths.proxmox_state).users.get(userid)
    if user is None or user.password is None:
        raise LabError(f"{userid}: has no password in lab {paths.name}; add it to the world file")
    return user.password
