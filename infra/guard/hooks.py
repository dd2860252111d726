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


def bind_deep_teardown(callback: Callback) -> pulumi.ResourceHookBinding:
    """The same, of the longer chain of a run in which a container has left the stack file."""
    return pulumi.ResourceHookBinding(before_delete=[_register("berth-teardown-deep", callback)])


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


@dataclass(frozen=True)
class WayCallbacks:
    """What is asked and done before parts of the tunnel are made, changed or deleted."""

    tunnel: ContainerCallbacks
    refuse_deleted: Callback
    write_routes: Callback
    remove_routes: Callback
    remember_routes: Callback
    create_record: Callback
    delete_record: Callback
    gate: Callback
    gate_again: Callback


@dataclass(frozen=True)
class WayBindings:
    """The hooks of each kind of resource of the ways in; None where mocks stand in."""

    tunnel: pulumi.ResourceHookBinding | None = None
    there: pulumi.ResourceHookBinding | None = None
    routes: pulumi.ResourceHookBinding | None = None
    ours: pulumi.ResourceHookBinding | None = None
    record: pulumi.ResourceHookBinding | None = None
    gate: pulumi.ResourceHookBinding | None = None
    left: pulumi.ResourceHookBinding | None = None


def bind_ways(ways: WayCallbacks) -> WayBindings:
    """The hooks of the tunnel and of what hangs on it. The gate is for real runs only."""
    there = _register("berth-tunnel-there", ways.refuse_deleted)
    routes = _register("berth-routes-write", ways.write_routes)
    gate = pulumi.ResourceHook("berth-gate", ways.gate)
    again = pulumi.ResourceHook("berth-gate-again", ways.gate_again)
    return WayBindings(
        tunnel=pulumi.ResourceHookBinding(
            before_create=[_register("berth-tunnel-create", ways.tunnel.create)],
            before_update=[_register("berth-tunnel-update", ways.tunnel.update)],
            before_delete=[_register("berth-tunnel-delete", ways.tunnel.delete)],
        ),
        there=pulumi.ResourceHookBinding(before_create=[there], before_update=[there]),
        routes=pulumi.ResourceHookBinding(
            before_create=[routes],
            before_update=[routes],
            before_delete=[_register("berth-routes-remove", ways.remove_routes)],
        ),
        ours=pulumi.ResourceHookBinding(
            before_delete=[_register("berth-routes-remember", ways.remember_routes)]
        ),
        record=pulumi.ResourceHookBinding(
            before_create=[_register("berth-record-create", ways.create_record)],
            before_delete=[_register("berth-record-delete", ways.delete_record)],
        ),
        gate=pulumi.ResourceHookBinding(before_create=[gate], before_update=[gate]),
        left=pulumi.ResourceHookBinding(before_delete=[again]),
    )


def bind_tripwire(callback: Callback) -> pulumi.ResourceHookBinding:
    """The hook that anything but a destroy reaches."""
    return pulumi.ResourceHookBinding(before_create=[_register("berth-tripwire", callback)])


def _register(name: str, callback: Callback) -> pulumi.ResourceHook:
    return pulumi.ResourceHook(name, callback, pulumi.ResourceHookOptions(on_dry_run=True))
