"""Hears of every step on a host that failed, and says what to do about it."""

from collections.abc import Mapping

import pulumi

from infra.guard import hooks
from infra.step_words import words


def watch_steps(hosts: Mapping[str, str]) -> pulumi.ResourceHookBinding:
    """The hooks of every step. `hosts` has the host of each service."""

    def on_error(args: pulumi.ErrorHookArgs) -> bool:
        named = args.name.rpartition("-")[0]
        if text := words(hosts.get(named, named), args.errors):
            pulumi.log.error(f"{args.name}: {text}")
        return False

    return hooks.bind_steps(on_error)
