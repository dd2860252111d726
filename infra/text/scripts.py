"""The short shell scripts that steps run on a host; whatever is long or atomic is the guest's."""

import shlex

from infra.text.render import render

SERVICES = "/var/lib/berth/services"
GUEST_MISSING = 91
"""The status of a step whose guest program is not on the host. Its words are said here, not there:
a provider shows the whole text of a step that failed.
"""


def host_key() -> str:
    """Prints the public host key, `TYPE BASE64`."""
    return render("host-key.sh")


def login() -> str:
    """Writes root's authorized_keys; what it reads on stdin is made by `login_input`."""
    return render("login.sh")


def login_input(public_keys: list[str], root_password: str | None) -> str:
    """One key a line, then root's password where there is one."""
    keys = "".join(f"{key}\n" for key in public_keys)
    return f"{keys}---\n{root_password}\n" if root_password else keys


def deploy(guest: str) -> str:
    """Deploys what the document on stdin says. `guest` is the guest program's path on the host."""
    return _guest(guest, "deploy", skip_without="")


def remove(guest: str, service: str) -> str:
    """Removes the service that the document on stdin names, where anything of it is there."""
    return _guest(guest, "remove", skip_without=f"{SERVICES}/{service}")


def connect(guest: str) -> str:
    """Makes the connector that the document on stdin describes."""
    return _guest(guest, "connect", skip_without="")


def disconnect(guest: str, unit: str) -> str:
    """Stops and removes the connector, where anything of it is there."""
    return _guest(guest, "disconnect", skip_without=f"{SERVICES}/{unit}")


def _guest(path: str, verb: str, *, skip_without: str) -> str:
    return render(
        "guest.sh.j2",
        path=shlex.quote(path),
        missing=GUEST_MISSING,
        skip_without=shlex.quote(skip_without) if skip_without else "",
        verb=verb,
    )
