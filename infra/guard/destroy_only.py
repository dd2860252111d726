"""The way out when the stack file is broken: `BERTH_DESTROY_ONLY=1 pulumi destroy --run-program`.

Nothing is declared but what a destroy needs, so anything else than a destroy would delete all
there is: a tripwire ends it before it begins. docs/decisions/0012 says how both are told apart.
"""

import os
from collections.abc import Mapping
from typing import Any

import pulumi

from infra import last_run
from infra.cloudflare.resources import Provider
from infra.cloudflare.words import PROVIDER, Identity
from infra.guard import hooks
from infra.guard.described import described
from infra.guard.destruction import Situation, judge
from infra.guard.guard import STACK_ID
from infra.guard.made_on import Steps, host_of, place
from infra.guard.mark import Mark, marks_in
from infra.guard.ownership import refusal_by_what_is_there, refusal_to_touch
from infra.guard.steps import watch_steps
from infra.guard.survey import Node, RefusedError
from infra.guard.teardown import declare_teardown
from infra.provider import proxmox_provider
from infra.settings import ProxmoxAccess
from infra.settings.load import load_access, load_cloudflare_access, load_tailnet_access
from infra.tailnet import tailscale_provider
from infra.ways import Ways

VARIABLE = "BERTH_DESTROY_ONLY"
_NO_DESTROY = (
    f"{VARIABLE} is set, so this run declares nothing and can only be "
    "`pulumi destroy --run-program`; nothing was changed. Unset it for anything else"
)


def is_destroy_only(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this run was started to destroy, whatever the stack file says."""
    return environment.get(VARIABLE, "").lower() in {"1", "true", "yes"}


class Tripwire(pulumi.CustomResource):
    """A resource that is never made. A destroy skips what is not there; all else tries to."""

    def __init__(self, binding: pulumi.ResourceHookBinding) -> None:
        # The engine's own provider serves it: no credentials can be wrong for this.
        super().__init__(
            "pulumi:index:Stash",
            "tripwire",
            {"input": "never made"},
            pulumi.ResourceOptions(hooks=binding),
        )


class _Destroy:
    """The hooks of this mode. A container's own host name is all that is known of it."""

    def __init__(self, access: ProxmoxAccess | None, project: str, stack: str) -> None:
        self._of = (project, stack)
        self.before = last_run.outputs(project, stack)
        stated = (pulumi.Config("berth").get("id"), self.before.get(STACK_ID))
        self._ids = [each for each in stated if each]
        self._node = Node(access, project, stack)
        self.steps = Steps(project, stack, self._node.occupant, self._ensure_step_may_go)
        self.destroying = False
        self.tripped = False

    async def on_destroy(self, _args: pulumi.ResourceHookArgs) -> None:
        self.destroying = True

    async def trip(self, _args: pulumi.ResourceHookArgs) -> None:
        self.tripped = True
        raise RefusedError(_NO_DESTROY)

    async def before_delete(self, args: pulumi.ResourceHookArgs) -> None:
        host, inputs = host_of(args.name), args.old_inputs or {}
        verdict = judge(
            Situation(
                host=host,
                old=described(inputs),
                new=None,
                settled=False,
                destroying=self.destroying,
                may_replace=(),
                may_remove=(),
            )
        )
        if not verdict.allowed:
            raise RefusedError(verdict.text)
        await self._ensure_ours(host, inputs)
        pulumi.log.warn(verdict.text)

    async def _ensure_step_may_go(self, host: str, container: Mapping[str, Any]) -> None:
        if not self.destroying:
            raise RefusedError(_NO_DESTROY)
        await self._ensure_ours(host, container)

    async def _ensure_ours(self, host: str, inputs: Mapping[str, Any]) -> None:
        """Without the settings any host of the stack is right, whatever it is called now."""
        if inputs.get("vmId") is None:
            return
        node, vm_id = place(inputs)
        there = await self._node.occupant(node, vm_id)
        if refusal := refusal_by_what_is_there(host, node, vm_id, there):
            raise RefusedError(refusal)
        tags = there.tags or () if there else ()
        # A first run that never finished has stated none.
        ids = self._ids or [m.id for m in marks_in(inputs.get("tags") or ())] or ["id"]
        own = [Mark(*self._of, host, each) for each in ids]
        if not any(mark.same_stack(one) for mark in marks_in(tags) for one in own):
            raise RefusedError(refusal_to_touch(host, vm_id, own, tags))

    async def refuse(self, _args: pulumi.ResourceHookArgs) -> None:
        raise RefusedError(f"{VARIABLE} is set: nothing is made or changed")


def declare_destroy_only() -> None:
    """Declare what a destroy needs: hooks, the chain that tells it, and fresh credentials."""
    access = load_access()
    project, stack = pulumi.get_project(), pulumi.get_stack()
    run = _Destroy(access, project, stack)
    hooks.bind_containers(hooks.ContainerCallbacks(run.refuse, run.refuse, run.before_delete))
    watch_steps({}, run.steps.before_delete)
    cloudflare = load_cloudflare_access()
    Ways(None, cloudflare, Identity(project, stack, ""), lambda: run.destroying)
    tripwire = Tripwire(hooks.bind_tripwire(run.trip))
    # The engine updates the providers first, so that a token that was rotated is used.
    if access:
        proxmox_provider(access)
    if cloudflare and last_run.has(project, stack, "cloudflare"):
        Provider(PROVIDER, cloudflare.api_token, cloudflare.base_url)
    tailnet = load_tailnet_access()
    if tailnet and last_run.has(project, stack, "tailscale"):
        tailscale_provider(tailnet)
    ended: pulumi.Output[bool] = pulumi.Output.from_input(_ended(run, tripwire))
    # With --target nothing trips, and what the last run exported must not be lost.
    for name, value in (run.before or {"destroy_only": True}).items():
        pulumi.export(name, pulumi.Output.secret(_after(ended, value)))


def _after(ended: pulumi.Output[bool], value: object) -> pulumi.Output[object]:
    return ended.apply(lambda _: value)


async def _ended(run: _Destroy, tripwire: Tripwire) -> bool:
    """Fail the program once the tripwire has fired: --continue-on-error must not go on either.

    Only then the chain is declared, whose longer part would be made by anything but a destroy.
    """
    try:
        await tripwire.urn.future()
    except Exception as error:
        raise pulumi.RunError(f"{VARIABLE} is set, and this is no destroy") from error
    if run.tripped:
        raise pulumi.RunError(f"{VARIABLE} is set, and this is no destroy")
    declare_teardown(run.on_destroy, deep=True)
    return True
