"""The short shell scripts that steps run on a host; whatever is long or atomic is the guest's."""

import shlex
from dataclasses import dataclass

from infra.text.render import render

SERVICES = "/var/lib/berth/services"


@dataclass(frozen=True)
class Guest:
    """The guest program on a host: its path there, and the command that sends it again."""

    path: str
    send_again: str


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


def deploy(guest: Guest) -> str:
    """Deploys what the document on stdin says."""
    return _guest(guest, "deploy", skip_without="")


def remove(guest: Guest, service: str) -> str:
    """Removes the service that the document on stdin names, where anything of it is there."""
    return _guest(guest, "remove", skip_without=f"{SERVICES}/{service}")


def connect(guest: Guest) -> str:
    """Makes the connector that the document on stdin describes."""
    return _guest(guest, "connect", skip_without="")


def disconnect(guest: Guest, unit: str) -> str:
    """Stops and removes the connector, where anything of it is there."""
    return _guest(guest, "disconnect", skip_without=f"{SERVICES}/{unit}")


def _guest(guest: Guest, verb: str, *, skip_without: str) -> str:
    missing = (
        f"{guest.path} is not on this host: it was emptied or made anew. "
        f"next: send all of it again: {guest.send_again}"
    )
    return render(
        "guest.sh.j2",
        path=shlex.quote(guest.path),
        missing=shlex.quote(missing),
        skip_without=shlex.quote(skip_without) if skip_without else "",
        verb=verb,
    )
