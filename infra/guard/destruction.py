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
    registration has returned, `destroying` that the teardown chain is being deleted.
    """

    host: str
    old: Described
    new: Described | None
    settled: bool
    destroying: bool
    may_replace: Collection[str]
    may_remove: Collection[str]


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
        return Verdict(
            allowed=False,
            text=f"{it.host} is no longer one of berth:hosts, which would destroy {what} with "
            f"{disk}; {LOST}. To allow it, add {it.host} to berth:remove. If it has a new name, "
            f"say was: {it.host} there",
        )
    why = _why(it.old, it.new)
    if it.host in it.may_replace:
        return Verdict(
            allowed=True, text=f"{it.host}: destroys {what} and makes it anew ({why}); {LOST}"
        )
    return Verdict(
        allowed=False,
        text=f"{it.host}: would destroy {what} and make it anew ({why}); {LOST}. "
        f"To keep it, take the change back. To allow it, add {it.host} to berth:replace",
    )


def _why(old: Described, new: Described) -> str:
    names = impact.causes(old, new)
    if not names:
        return "none of its settings changed: asked for with --replace, or a changed provider"
    return impact.in_words(names, old, new)
