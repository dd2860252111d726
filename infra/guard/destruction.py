"""Whether a container may be deleted, and what is said about it. Pure.

The engine deletes for three reasons and tells the program none of them:
a replacement (the host is declared, and its registration has not returned yet), a removal (the
host is no longer declared) and a destroy (docs/decisions/0012).
"""

from collections.abc import Collection
from dataclasses import dataclass

from infra.guard import impact
from infra.guard.described import Described

LOST = "everything on its disk is lost"


@dataclass(frozen=True)
class Situation:
    """What is known when the engine is about to delete the container of `host`.

    `new` is what the stack file declares for it, None when it does not; `settled` says that its
    registration has returned, `destroying` that the teardown chain is being deleted, `exists`
    that the host is declared as a machine that is there already.
    """

    host: str
    old: Described
    new: Described | None
    settled: bool
    destroying: bool
    may_replace: Collection[str]
    may_remove: Collection[str]
    exists: bool = False


@dataclass(frozen=True)
class Verdict:
    """Whether it may be deleted; `text` is the impact line, or the refusal."""

    allowed: bool
    text: str


def judge(it: Situation) -> Verdict:
    """Allow a destroy, and what the stack file allows by name; refuse everything else."""
    what = f"container {it.old.get('vm_id')}"
    disk = f"its {it.old.get('disk')} GiB disk on {it.old.get('storage')}"
    if it.destroying or (it.new is not None and it.settled):
        return Verdict(allowed=True, text=f"{it.host}: destroys {what} with {disk}; {LOST}")
    if it.new is None:
        if it.host in it.may_remove:
            return Verdict(allowed=True, text=f"{it.host}: removes {what} with {disk}; {LOST}")
        if it.exists:
            return Verdict(
                allowed=False,
                text=f"{it.host} is an existing host now, which would destroy {what} with {disk}; "
                f"{LOST}. To allow it, add {it.host} to berth:remove. To keep it, and use it as "
                "the existing host, let the stack forget it: pulumi state delete (docs/proxmox.md)",
            )
        return Verdict(
            allowed=False,
            text=f"{it.host} is no longer one of berth:hosts, which would destroy {what} with "
            f"{disk}; {LOST}. To allow it, add {it.host} to berth:remove. If it has a new name, "
            f"say was: {it.host} there",
        )
    return _judge_replacement(it, it.new, what)


def judge_update(host: str, old: Described, new: Described, *, as_root: bool) -> str | None:
    """Why an update must not be tried: what the engine takes for one, and cannot be done."""
    what = f"container {old.get('vm_id')}"
    if impact.shrinks(old, new):
        change = impact.in_words(["disk"], old, new)
        return _refused(host, what, f"{change}: a disk cannot shrink")
    if old.get("nesting") != new.get("nesting") and not as_root:
        change = impact.in_words(["nesting"], old, new)
        return (
            f"{host}: cannot change {what} ({change}); Proxmox lets nobody but root@pam with a "
            "password do that once a container exists. Take the change back, or log in as "
            "root@pam (berth:proxmox username and password)"
        )
    return None


def _judge_replacement(it: Situation, new: Described, what: str) -> Verdict:
    names = impact.causes(it.old, new)
    if it.host not in it.may_replace:
        return Verdict(allowed=False, text=_refused(it.host, what, _why(names, it.old, new)))
    if not names and impact.grows(it.old, new):
        change = impact.in_words(["disk"], it.old, new)
        return Verdict(
            allowed=False,
            text=f"{it.host}: {what} need not be made anew to grow its disk ({change}), "
            f"but berth:replace allows it; take {it.host} out there, and it grows in place",
        )
    if not names and impact.only_steps(it.old, new):
        change = impact.in_words(impact.changes(it.old, new), it.old, new)
        return Verdict(
            allowed=False,
            text=f"{it.host}: {what} need not be made anew to change {change}, but berth:replace "
            f"allows it; take {it.host} out there, and it is changed in place",
        )
    why = _why(names, it.old, new)
    return Verdict(
        allowed=True, text=f"{it.host}: destroys {what} and makes it anew ({why}); {LOST}"
    )


def _refused(host: str, what: str, why: str) -> str:
    return (
        f"{host}: would destroy {what} and make it anew ({why}); {LOST}. "
        f"To keep it, take the change back. To allow it, add {host} to berth:replace"
    )


def _why(names: list[str], old: Described, new: Described) -> str:
    if names:
        return impact.in_words(names, old, new)
    if changed := impact.changes(old, new):
        return impact.in_words(changed, old, new)
    return "none of its settings changed: asked for with --replace, or a changed provider"
