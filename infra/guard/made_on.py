"""Which container a step was made on, as the state of the stack knows it."""

from collections.abc import Mapping
from typing import Any

import pulumi

from infra import last_run
from infra.guard.described import described

CONTAINER_ROLE = "-container"


def made_on(args: pulumi.ResourceHookArgs) -> list[str]:
    """The ids of the resources that a step is made anew with."""
    return [str(one) for one in (args.old_inputs or {}).get("triggers") or ()]


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
    return {urn.rpartition("::")[2].removesuffix(CONTAINER_ROLE) for urn in found}


def _is_container(urn: str, state: Mapping[str, Any]) -> bool:
    return urn.endswith(CONTAINER_ROLE) and "vmId" in state


def place(container: Mapping[str, Any]) -> tuple[str, int]:
    """Node and VM id."""
    return str(container.get("nodeName")), int(container.get("vmId") or 0)
