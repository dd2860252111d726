"""What the state of this stack says: the exports of the last finished run, and its resources."""

import asyncio
import time
from typing import Any

import pulumi

_OUTPUTS = "pulumi:pulumi:readStackOutputs"
_RESOURCES = "pulumi:pulumi:readStackResourceOutputs"
_TRIES = 20
_PAUSE_S = 0.1


def outputs(project: str, stack: str) -> dict[str, Any]:
    """The stack's own outputs, in clear, as the state has them; none in its first run.

    A `StackReference` would read the same, but fail the whole run when it meets the engine writing
    its state, which is not atomic in a directory (the attributes beside the file are empty for a
    moment: "failed to load checkpoint: EOF"). This can be asked again.
    """
    return _asked(_OUTPUTS, "name", project, stack)


def made(project: str, stack: str) -> dict[str, dict[str, Any]]:
    """What each resource was when it was last made or changed, by URN, in clear."""
    found = _asked(_RESOURCES, "stackName", project, stack)
    return {urn: dict(one["outputs"]) for urn, one in found.items()}


def has(project: str, stack: str, package: str) -> bool:
    """Whether the state has anything that the provider of a package made."""
    return any(f"{package}:index/" in urn for urn in made(project, stack))


def _asked(token: str, key: str, project: str, stack: str) -> dict[str, Any]:
    name = f"{pulumi.get_organization()}/{project}/{stack}"
    tries = _TRIES
    while True:
        tries -= 1
        try:
            return _outputs(pulumi.runtime.invoke(token, {key: name}).value)
        except Exception as error:  # the SDK raises nothing more exact
            if tries == 0:
                raise _unreadable(name, error) from None
            time.sleep(_PAUSE_S)


async def resources(project: str, stack: str) -> dict[str, dict[str, Any]]:
    """The same as `made`, while the program runs."""
    name = f"{pulumi.get_organization()}/{project}/{stack}"
    tries = _TRIES
    while True:
        tries -= 1
        try:
            answer = await pulumi.runtime.invoke_async(_RESOURCES, {"stackName": name})
        except Exception as error:  # the SDK raises nothing more exact
            if tries == 0:
                raise _unreadable(name, error) from None
            await asyncio.sleep(_PAUSE_S)
        else:
            return {urn: dict(one["outputs"]) for urn, one in _outputs(answer).items()}


def _outputs(answer: dict[str, Any] | None) -> dict[str, Any]:
    return dict((answer or {}).get("outputs") or {})


def _unreadable(name: str, error: Exception) -> pulumi.RunError:
    return pulumi.RunError(
        f"the state of stack {name} cannot be read ({error}); nothing was changed. "
        "Run the command again"
    )
