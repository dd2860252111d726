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


def bind_steps(callback: ErrorCallback) -> pulumi.ResourceHookBinding:
    """The hook that hears of every step that failed; it never tries again."""
    return pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("berth-step-failed", callback)])


def bind_tripwire(callback: Callback) -> pulumi.ResourceHookBinding:
    """The hook that anything but a destroy reaches."""
    return pulumi.ResourceHookBinding(before_create=[_register("berth-tripwire", callback)])


def _register(name: str, callback: Callback) -> pulumi.ResourceHook:
    return pulumi.ResourceHook(name, callback, pulumi.ResourceHookOptions(on_dry_run=True))
