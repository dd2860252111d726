"""The service's user: made without a shell and without a home where it is missing, else kept."""

from .failure import StepFailed
from .host import Host, Ids


def ensure(user: str, root: str, host: Host) -> bool:
    """Make the user where it is missing; True where it was."""
    if host.account(user) is not None:
        return False
    made = ["--system", "--user-group", "--no-create-home", "--home-dir", root]
    host.run(["useradd", *made, "--shell", "/usr/sbin/nologin", user])
    return True


def ids(user: str, host: Host) -> Ids:
    """The numbers of a user that must be there."""
    found = host.account(user)
    if found is None:
        raise StepFailed(f"user {user}: not on this host, though it was made")
    return found
