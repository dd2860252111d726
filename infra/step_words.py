"""What to do when a step could not even begin: in words, by what the provider said. Pure."""

from infra.text.scripts import GUEST_MISSING

_HOST_KEY = (
    "what answers there has another host key than the one that is known: the machine was made "
    "anew, or something stands in between. Look at its own console, not over SSH: "
    "`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`. If it is the machine, and the key is "
    "right: for a container, `pulumi up --replace '**::{host}-host-key'` learns it anew; for an "
    "existing host, put its new public key into hosts/{host}/existing/host_key"
)
_LOGIN = (
    "the host does not let in the key of this stack (berth:ssh). On an existing host, add its "
    "public half to ~/.ssh/authorized_keys there. In a container, add it from the node: "
    "`pct enter VM_ID`; docs/services.md says how a login key is exchanged"
)
_UNREACHABLE = (
    "the host cannot be reached over SSH. Is it on, and does this machine have a way to it? If the "
    "container is gone, `pulumi refresh` notices that. "
    "Nothing of this step was done; run `pulumi up` again when it answers"
)
_GONE_FOR_GOOD = (
    "the host cannot be reached over SSH, so what is on it cannot be removed. Run the same command "
    "again when it answers. If it is gone for good, forget it, and then run the same again: "
    "pulumi state delete '{urn}'"
)
_LOST = (
    "the connection was lost while the step ran. The step goes on to its end on the host, and the "
    "next `pulumi up` waits for it, then finishes what is missing"
)
_TOO_LONG = "the step took longer than its limit and was ended; `pulumi up` runs it again"
_GONE = (
    "the guest program is not on this host: it was emptied or made anew. Next: send all of it "
    "again: {again}"
)
_SUDO = (
    "the user needs sudo without a password: on the host, as root, "
    "`echo 'USER ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/berth`; or log in as root"
)
_NO_ROOM = (
    "the host did not take the file. Is its disk full? `df -h` and `df -i` there; make room, and "
    "run `pulumi up` again"
)
_WORDS = (
    (("host key mismatch", "knownhosts: key"), _HOST_KEY),
    (("unable to authenticate",), _LOGIN),
    (("sudo: a password is required", "sudo: a terminal is required"), _SUDO),
    (("status 124", "status 137"), _TOO_LONG),
    (("SSH_FX_FAILURE", "SSH_FX_WRITE_PROTECT", "SSH_FX_NO_SPACE"), _NO_ROOM),
    ((f"status {GUEST_MISSING}:",), _GONE),
    (("exited without exit status", "wait: remote command exited", "use of closed"), _LOST),
    (
        ("failed attempts: dial", "connection refused", "no route to host", "i/o timeout", "EOF"),
        _UNREACHABLE,
    ),
)


def send_again(service: str, host: str) -> str:
    """The one command that sends everything of a service again."""
    names = (f"{host}-guest", f"{service}-archive", f"{service}-deploy")
    return "pulumi up " + " ".join(f"--replace '**::{name}'" for name in names)


def connect_again(host: str, name: str) -> str:
    """The one command that sends everything of a connector again; `name` is that of its steps."""
    return f"pulumi up --replace '**::{host}-guest' --replace '**::{name}-connector'"


def words(host: str, errors: list[str], *, again: str = "", removal: str = "") -> str | None:
    """What to do about a failed step on `host`; None where the step itself has said so.

    `removal` is the URN of a step that was to remove something.
    """
    if not errors:
        return None
    # The first line is the provider's; what follows is what the step wrote.
    said = errors[0]
    first = said.partition("running ")[0]
    for signs, text in _WORDS:
        where = said if text is _SUDO else first
        if any(sign in where for sign in signs):
            advice = _GONE_FOR_GOOD if text is _UNREACHABLE and removal else text
            return advice.format(host=host, again=again, urn=removal)
    return None
