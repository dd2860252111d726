"""Says in words what a step on a host will do, in previews too, and what to do when one failed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from infra import service_words
from infra.guard import hooks
from infra.settings.result import ServiceSettings
from infra.step_words import connect_again, send_again, words
from infra.text import connector


@dataclass(frozen=True)
class StepHooks:
    """`any` is for every step, the others for what is said before it runs."""

    any: pulumi.ResourceHookBinding | None
    deploy: pulumi.ResourceHookBinding | None
    remove: pulumi.ResourceHookBinding | None


def watch_steps(
    services: Mapping[str, ServiceSettings], before_delete: hooks.Callback
) -> StepHooks:
    """The hooks of all steps, those of `services` included; `before_delete` may refuse."""
    hosts = {name: service.spec.host for name, service in services.items()}

    def on_error(args: pulumi.ErrorHookArgs) -> bool:
        named = args.name.rpartition("-")[0]
        connects = args.name.endswith(("-connector", "-disconnect"))
        host = connector.host_of(named) if connects else hosts.get(named, named)
        again = connect_again(host, named) if connects else send_again(named, host)
        removal = args.urn if args.failed_operation == "delete" else ""
        if text := words(host, args.errors, again=again, removal=removal):
            pulumi.log.error(f"{args.name}: {text}")
        return False

    return StepHooks(
        *hooks.bind_steps(
            hooks.StepCallbacks(_before_create, _before_update, _before_delete),
            before_delete,
            on_error,
        )
    )


async def _before_create(args: pulumi.ResourceHookArgs) -> None:
    if document := await _document(args.new_inputs):
        pulumi.log.info(service_words.created(document))


async def _before_update(args: pulumi.ResourceHookArgs) -> None:
    old, new = await _document(args.old_inputs), await _document(args.new_inputs)
    if old and new:
        pulumi.log.info(service_words.updated(old, new))


async def _before_delete(args: pulumi.ResourceHookArgs) -> None:
    if document := await _document(args.old_inputs):
        pulumi.log.warn(service_words.removed(document))


async def _document(inputs: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The document on the stdin of a step; None in a preview that does not know it yet."""
    stdin = (inputs or {}).get("stdin")
    if isinstance(stdin, pulumi.Output):
        stdin = await stdin.future()
    if not isinstance(stdin, str):
        return None
    document: Mapping[str, Any] = json.loads(stdin)
    return document
