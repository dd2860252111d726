"""Which container a step was made on, as the state of the stack knows it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pulumi

from infra import last_run
from infra.guard.described import described

CONTAINER_ROLE = "-container"


class Steps:
    """Looks up the container of each step that is deleted, once for all steps on it.

    `occupant` says who has a VM id now; `ensure_may_go` is given the host and the container as the
    state has it, and raises where its steps must stay.
    """

    def __init__(
        self,
        project: str,
        stack: str,
        occupant: Callable[[str, int], Awaitable[object | None]],
        ensure_may_go: Callable[[str, Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        self._of = (project, stack)
        self._occupant = occupant
        self._ensure_may_go = ensure_may_go
        self._may_go: set[str] = set()

    async def before_delete(self, args: pulumi.ResourceHookArgs) -> None:
        """Steps on a container that is gone go; so do those that were made on none."""
        for made_on in (args.old_inputs or {}).get("triggers") or ():
            resource_id = str(made_on)
            if resource_id in self._may_go:
                continue
            urn, container = await container_of(*self._of, resource_id)
            if urn is not None and await self._occupant(*place(container)) is not None:
                await self._ensure_may_go(host_of(urn), container)
            self._may_go.add(resource_id)


async def container_of(
    project: str, stack: str, resource_id: str
) -> tuple[str | None, Mapping[str, Any]]:
    """URN and outputs of the container of the state that has this id; None where there is none."""
    for urn, state in (await last_run.resources(project, stack)).items():
        if _is_container(urn, state) and str(described(state)["vm_id"]) == resource_id:
            return urn, state
    return None, {}


def containers_in(resources: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The hosts whose containers are among resources, by URN."""
    found = {urn for urn, state in resources.items() if _is_container(urn, state)}
    return {host_of(urn) for urn in found}


def host_of(container: str) -> str:
    """The name of the host, by the URN or the name of its container."""
    return container.rpartition("::")[2].removesuffix(CONTAINER_ROLE)


def _is_container(urn: str, state: Mapping[str, Any]) -> bool:
    return urn.endswith(CONTAINER_ROLE) and "vmId" in state


def place(container: Mapping[str, Any]) -> tuple[str, int]:
    """Node and VM id."""
    return str(container.get("nodeName")), int(container.get("vmId") or 0)
