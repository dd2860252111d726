"""Whose container is it? Decides before one is made, changed or deleted. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from infra.guard.mark import Mark, marks_in
from infra.node.occupant import Occupant
from infra.settings.models import Container


def refusal_to_create(host: str, spec: Container, mark: Mark, there: Occupant) -> str | None:
    """Why `host` must not be made with an id that `there` has; None when that is itself.

    The provider would take over whatever has the id, and a later destroy would delete it.
    """
    taken = f"{host}: VM id {spec.vm_id} is taken by {there.description}"
    marks = marks_in(there.tags or ())
    if not there.is_container and marks:
        return (
            f"{taken}, which carries the tag of a container of berth; nothing was changed. Give "
            f"hosts/{host}/container/vm_id a free id"
        )
    if mark in marks and there.node in (None, spec.node):
        return None
    if mark in marks:
        return (
            f"{taken}, which is the one of this stack; nothing was changed. Say node: {there.node} "
            f"in hosts/{host}/container, or move it to {spec.node} in Proxmox"
        )
    for other in marks:
        if mark.same_stack(other):
            return (
                f"{taken}, which is the host {other.host} of this stack. If {host} is its new "
                f"name, add was: {other.host} to hosts/{host}/container; "
                "if not, give it an id that is free"
            )
    whose = "".join(
        f", and belongs to host {m.host} of stack {m.stack}, project {m.project} (id {m.id})"
        for m in marks[:1]
    )
    return f"{taken}{whose}; nothing was changed. Give hosts/{host}/container/vm_id a free id"


def refusal_beside_a_lost_host(
    host: str, mark: Mark, known: Iterable[str], tagged: Mapping[int, Iterable[str]]
) -> str | None:
    """Why `host` must not be made while a container of this stack is no host of it any more.

    Its removal would be refused too, but only once `host` stands: a renamed host with another id
    would be there twice.
    """
    lost = [
        (vm_id, other.host)
        for vm_id, tags in sorted(tagged.items())
        for other in marks_in(tags)
        if mark.same_stack(other) and other.host not in {name.lower() for name in known}
    ]
    if not lost:
        return None
    vm_id, name = lost[0]
    return (
        f"{host}: is not made while container {vm_id} of this stack is that of {name}, which is "
        f"no longer one of berth:hosts; nothing was changed. If {host} is its new name, add "
        f"was: {name} to hosts/{host}/container; to lose {name}, add it to berth:remove"
    )


def refusal_by_what_is_there(
    host: str, node: str, vm_id: int, there: Occupant | None
) -> str | None:
    """Why a container of the state cannot be changed or deleted, whatever its tags say."""
    if there is None:
        return (
            f"{host}: container {vm_id} is gone from Proxmox; nothing was changed. Let the stack "
            "notice it: pulumi refresh; after that the same command goes through"
        )
    if there.tags is None:
        return (
            f"{host}: these credentials may not look at container {vm_id}, so nobody can tell "
            f"whose it is; nothing was changed. They need VM.Audit on /vms/{vm_id} "
            "(docs/proxmox.md)"
        )
    if not there.is_container or there.node not in (None, node):
        return (
            f"{host}: VM id {vm_id} is that of {there.description}, not of a container on {node}; "
            f"nothing was changed. Move it back to {node} if it is this one; if it is not, let "
            "the stack forget its own: pulumi state delete (docs/proxmox.md)"
        )
    return None


def refusal_to_touch(
    host: str, vm_id: object, own: Sequence[Mark], tags: Iterable[str]
) -> str | None:
    """Why a container of the state must be left alone: what has its id now is not ours.

    `own` are the marks that it may carry, the first one is what it should. The tags in the state
    do not count: a refresh writes there whatever it finds under that id.
    """
    if set(own).intersection(marks_in(tags)):
        return None
    return (
        f"{host}: container {vm_id} no longer carries the tag {own[0]} of this stack, so it may "
        "be somebody else's; nothing was done to it. If it is this one, give it the tag again; if "
        "it is not, let the stack forget its own: pulumi state delete (docs/proxmox.md)"
    )
