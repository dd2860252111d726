"""How the program learns that it is a `pulumi destroy`: docs/decisions/0012 says why.

The engine deletes in layers: first what lies deepest in the graph of parents and dependencies.
A chain of components that is deeper than any container is therefore always deleted before
them; and since every run declares it, only a destroy deletes it.

Steps on a container lie deeper than that. Where it has left the stack file, whether they may go
depends on this being a destroy, so such a run declares a longer chain.
"""

import pulumi

from infra.guard import hooks
from infra.guard.hooks import Callback

DEPTH = 4
"""A container lies 3 deep at most: below its provider and the template that is downloaded."""
DEEP = 16
"""Nothing of a stack lies deeper: the gate, below all that a service and its route need, at 11."""


class Teardown(pulumi.ComponentResource):
    """A link of the chain. Nothing real is behind it."""

    def __init__(self, name: str, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("berth:infra:Teardown", name, {}, opts)
        self.register_outputs({})


def declare_teardown(on_destroy: Callback, *, deep: bool = False) -> None:
    """Call `on_destroy` before a destroy deletes the first container, and never else.

    `deep`: before it deletes anything at all.
    """
    # The run after one that was deep deletes the longer part, and is no destroy for that.
    bindings = {
        DEPTH: hooks.bind_teardown(on_destroy),
        DEEP: hooks.bind_deep_teardown(on_destroy if deep else _nothing),
    }
    link: Teardown | None = None
    for depth in range(1, (DEEP if deep else DEPTH) + 1):
        own = pulumi.ResourceOptions(parent=link, hooks=bindings.get(depth))
        link = Teardown(f"teardown-{depth}", opts=own)


async def _nothing(_args: pulumi.ResourceHookArgs) -> None:
    return
