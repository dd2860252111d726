"""Asked by the engine before each container is made, changed or deleted, in previews too."""

from collections.abc import Mapping
from typing import Any

import pulumi

from infra import last_run
from infra.guard import hooks, impact
from infra.guard.described import Described, declared, described
from infra.guard.destruction import Situation, Verdict, judge, judge_update
from infra.guard.made_on import Steps, containers_in, host_of, place
from infra.guard.mark import Mark
from infra.guard.ownership import (
    refusal_beside_a_lost_host,
    refusal_by_what_is_there,
    refusal_to_create,
    refusal_to_touch,
)
from infra.guard.survey import RefusedError, Survey
from infra.guard.teardown import declare_teardown
from infra.settings import Settings

STACK_ID = "id"
"""The stack output that tells the next run which id this one's containers carry."""


class Guard:
    """Made before anything else of the program, so that its hooks are always registered."""

    def __init__(
        self,
        settings: Settings,
        public_keys: pulumi.Output[list[str]],
        last_id: str | None,
        *,
        project: str,
        stack: str,
    ) -> None:
        """`last_id` is what the stack file stated in the last finished run."""
        self._settings = settings
        self._public_keys = public_keys
        self._project, self._stack = project, stack
        self._survey = Survey(settings, project, stack)
        self._marks = {
            host: Mark(project, stack, host, settings.id) for host in settings.containers
        }
        self._made = containers_in(last_run.made(project, stack))
        self._renamed = {
            c.was: host
            for host, c in settings.containers.items()
            # One that stands beside what it was called is another container.
            if c.was and not {c.was, host} <= self._made
        }
        self._ids = [settings.id, *([last_id] if last_id else [])]
        self._settled: set[str] = set()
        self._destroying = False
        self._steps = Steps(project, stack, self._survey.occupant, self._ensure_steps_may_go)
        access = settings.proxmox
        self._as_root = bool(access and access.username == "root@pam" and not access.api_token)
        self.binding = hooks.bind_containers(
            hooks.ContainerCallbacks(self.before_create, self.before_update, self.before_delete)
        )
        has_left = bool(self._made - {*self._marks, *self._renamed})
        declare_teardown(self.on_destroy, deep=has_left)

    def tags(self, host: str) -> list[str]:
        """All tags of a container: its own, and the mark that says whose it is."""
        return sorted({*self._settings.containers[host].tags, str(self._marks[host])})

    @property
    def destroying(self) -> bool:
        """Whether this run is known to be a destroy by now."""
        return self._destroying

    def settle(self, host: str, container: pulumi.CustomResource) -> None:
        """Notice when the registration of `container` has returned."""
        container.urn.apply(lambda _: self._settled.add(host))

    async def on_destroy(self, _args: pulumi.ResourceHookArgs) -> None:
        """The teardown chain is being deleted, which only a destroy does."""
        self._destroying = True

    async def before_create(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuse an id that is not ours, and what the nodes do not have."""
        host = self._host(args.name)
        spec, mark = self._settings.containers[host], self._marks[host]
        there = await self._survey.occupant(spec.node, spec.vm_id)
        refusal = refusal_to_create(host, spec, mark, there) if there else None
        if there is None:
            known = {*self._settings.containers, *self._settings.remove, *self._renamed}
            refusal = refusal_beside_a_lost_host(host, mark, known, await self._survey.tagged())
        try:
            await self._survey.ensure_nodes_fit()
        except RefusedError as error:
            raise RefusedError(f"{refusal}\n{error}" if refusal else str(error)) from None
        if refusal:
            raise RefusedError(refusal)
        if there is None:
            pulumi.log.info(f"{host}: creates container {spec.vm_id} on node {spec.node}")
            return
        if host not in self._settings.replace:
            pulumi.log.info(
                f"{host}: goes on with container {spec.vm_id}, which an earlier run of this "
                "stack had begun"
            )

    async def before_update(self, args: pulumi.ResourceHookArgs) -> None:
        """Say what the change does; refuse to change what is no longer ours."""
        host = self._host(args.name)
        old = described(await _in_clear(args.old_inputs))
        new = described(await _in_clear(args.new_inputs))
        if not impact.changes(old, new) and old.get("started") is not False:
            # A container that was taken up again is not what was asked for when it was made.
            old = impact.as_it_was_read(described(await _in_clear(args.old_outputs)), new)
        if refusal := judge_update(host, old, new, as_root=self._as_root):
            raise RefusedError(refusal)
        await self._survey.ensure_nodes_fit()
        await self._ensure_ours(host, args.old_inputs or {})
        for line in impact.impact(host, old, new):
            pulumi.log.info(line)

    async def before_delete(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuse to lose a container by accident; say what is lost when it is meant."""
        host = self._host(args.name)
        verdict = await self._allowed(host, args.old_inputs or {})
        pulumi.log.warn(verdict.text)

    async def before_step_delete(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuse to forget a step on a container that must not be lost.

        The engine deletes what depends on a container before the container itself, so that one's
        own refusal comes when the host key that was learnt for it is no longer in the state.
        """
        await self._steps.before_delete(args)

    async def _ensure_steps_may_go(self, name: str, container: Mapping[str, Any]) -> None:
        host = self._host(name)
        if host in self._settled:
            await self._ensure_ours(host, container)
        else:
            await self._allowed(host, container)

    def _host(self, resource: str) -> str:
        name = host_of(resource)
        return self._renamed.get(name, name)

    async def _allowed(self, host: str, inputs: Mapping[str, Any]) -> Verdict:
        """What is said when a container is lost; raises where it must not be."""
        verdict = judge(
            Situation(
                host=host,
                old=described(await _in_clear(inputs)),
                new=await self._wanted(host),
                settled=host in self._settled,
                destroying=self._destroying,
                may_replace=self._settings.replace,
                may_remove=self._settings.remove,
                exists=host in self._settings.existing,
            )
        )
        if not verdict.allowed:
            raise RefusedError(verdict.text)
        await self._ensure_ours(host, inputs)
        if host in self._marks and not self._destroying and host not in self._settled:
            await self._ensure_place(host, inputs)
        return verdict

    async def _ensure_place(self, host: str, inputs: Mapping[str, Any]) -> None:
        """What comes after must be possible, before anything is lost."""
        spec = self._settings.containers[host]
        if spec.vm_id != place(inputs)[1]:
            there = await self._survey.occupant(spec.node, spec.vm_id)
            refusal = refusal_to_create(host, spec, self._marks[host], there) if there else None
            if refusal:
                raise RefusedError(refusal)
        await self._survey.ensure_nodes_fit()

    async def _wanted(self, host: str) -> Described | None:
        spec = self._settings.containers.get(host)
        if spec is None:
            return None
        password = self._settings.root_passwords.get(host)
        return declared(
            host,
            spec,
            self.tags(host),
            await self._public_keys.future() or [],
            await password.future() if password else None,
        )

    async def _ensure_ours(self, host: str, inputs: Mapping[str, Any]) -> None:
        if inputs.get("vmId") is None:
            return
        node, vm_id = place(inputs)
        there = await self._survey.occupant(node, vm_id)
        if refusal := refusal_by_what_is_there(host, node, vm_id, there):
            raise RefusedError(refusal)
        names = [host, *(was for was, now in self._renamed.items() if now == host)]
        own = [Mark(self._project, self._stack, n, i) for n in names for i in self._ids]
        tags = there.tags or () if there else ()
        if refusal := refusal_to_touch(host, vm_id, own, tags):
            raise RefusedError(refusal)


async def _in_clear(inputs: Mapping[str, Any] | None) -> dict[str, Any]:
    """With what has a secret somewhere within it, such as the root password; only to compare."""
    return {
        key: await value.future() if isinstance(value, pulumi.Output) else value
        for key, value in (inputs or {}).items()
    }
