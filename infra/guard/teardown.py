"""How the program learns that it is a `pulumi destroy`: docs/decisions/0012 says why.

The engine deletes in layers: first what lies deepest in the graph of parents and dependencies.
A chain of components that is deeper than any container is therefore always deleted before
them; and since every run declares it, only a destroy deletes it.
"""

import pulumi

from infra.guard import hooks
from infra.guard.hooks import Callback

DEPTH = 4
"""A container lies 3 deep at most: below its provider and the template that is downloaded."""


class Teardown(pulumi.ComponentResource):
    """A link of the chain. Nothing real is behind it."""

    def __init__(self, name: str, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("berth:infra:Teardown", name, {}, opts)
        self.register_outputs({})


def declare_teardown(on_destroy: Callback) -> None:
    """Call `on_destroy` before the first container is deleted by a destroy, and never else."""
    binding = hooks.bind_teardown(on_destroy)
    link: Teardown | None = None
    for depth in range(1, DEPTH + 1):
        last = binding if depth == DEPTH else None
        link = Teardown(f"teardown-{depth}", opts=pulumi.ResourceOptions(parent=link, hooks=last))
