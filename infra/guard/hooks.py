"""The only place that registers resource hooks. Mocks cannot run them: unit tests stand in here.

Hooks are registered before anything else, and always: the state names them, and every preview
fails once a name in it means nothing. So these names never change.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pulumi

Callback = Callable[[pulumi.ResourceHookArgs], Awaitable[None]]
ErrorCallback = Callable[[pulumi.ErrorHookArgs], bool]


@dataclass(frozen=True)
class ContainerCallbacks:
    """What is asked before a container is made, changed or deleted; raising forbids it."""

    create: Callback
    update: Callback
    delete: Callback


def bind_containers(callbacks: ContainerCallbacks) -> pulumi.ResourceHookBinding:
    """The hooks of every container, in previews too."""
    return pulumi.ResourceHookBinding(
        before_create=[_register("berth-container-create", callbacks.create)],
        before_update=[_register("berth-container-update", callbacks.update)],
        before_delete=[_register("berth-container-delete", callbacks.delete)],
    )


def bind_teardown(callback: Callback) -> pulumi.ResourceHookBinding:
    """The hook that only a destroy reaches."""
    return pulumi.ResourceHookBinding(before_delete=[_register("berth-teardown", callback)])


@dataclass(frozen=True)
class StepCallbacks:
    """What is said before a service is deployed first, deployed again, or removed."""

    create: Callback
    update: Callback
    delete: Callback


Bindings = tuple[pulumi.ResourceHookBinding, ...]


def bind_steps(say: StepCallbacks, before_delete: Callback, on_error: ErrorCallback) -> Bindings:
    """The hooks of any step, and what a deploy and a removal have besides.

    A failed step is never tried again.
    """
    return (
        pulumi.ResourceHookBinding(
            before_delete=[_register("berth-step-delete", before_delete)],
            on_error=[pulumi.ErrorHook("berth-step-failed", on_error)],
        ),
        pulumi.ResourceHookBinding(
            before_create=[_register("berth-service-create", say.create)],
            before_update=[_register("berth-service-update", say.update)],
        ),
        pulumi.ResourceHookBinding(before_delete=[_register("berth-service-remove", say.delete)]),
    )


def bind_tripwire(callback: Callback) -> pulumi.ResourceHookBinding:
    """The hook that anything but a destroy reaches."""
    return pulumi.ResourceHookBinding(before_create=[_register("berth-tripwire", callback)])


def _register(name: str, callback: Callback) -> pulumi.ResourceHook:
    return pulumi.ResourceHook(name, callback, pulumi.ResourceHookOptions(on_dry_run=True))
