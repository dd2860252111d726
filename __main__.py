"""Table of contents: settings, hosts, services, exports."""

import atexit
import gc

# Nothing is collected, neither meanwhile nor at the end: it took a sixth of the program's time.
gc.disable()
atexit.register(gc.freeze)
import pulumi

from infra import last_run
from infra.cloudflare.words import Identity
from infra.guard.destroy_only import declare_destroy_only, is_destroy_only
from infra.guard.guard import STACK_ID, Guard
from infra.guard.steps import watch_steps
from infra.hosts import declare_hosts, logins
from infra.hosts import exported as exported_hosts
from infra.login import LOGIN_KEY, login_keys, once_done
from infra.service import GuestPrograms, declare_services
from infra.service import exported as exported_services
from infra.settings import load
from infra.tailnet import declare_keys
from infra.tailnet import exported as exported_keys
from infra.ways import OUTPUT, Ways


def main() -> None:
    """Declare the stack that the engine has selected."""
    project, stack = pulumi.get_project(), pulumi.get_stack()
    if is_destroy_only():
        declare_destroy_only()
        return
    settings = load()
    for warning in settings.warnings:
        pulumi.log.warn(warning)
    before = last_run.outputs(project, stack)
    keys = login_keys(settings.ssh, before)
    guard = Guard(settings, keys.public_keys, before.get(STACK_ID), project=project, stack=stack)
    identity = Identity(project, stack, settings.id)
    ways = Ways(settings.tunnel, settings.cloudflare, identity, lambda: guard.destroying)
    steps = watch_steps(settings.services, guard.before_step_delete)
    hosts = declare_hosts(settings, guard, keys, steps)
    guests = GuestPrograms()
    services = declare_services(settings, hosts, guests, project=project, stack=stack)
    way = ways.declare(hosts, guests, services, before)
    tailnet_keys = declare_keys(settings.tailnet, stack)
    pulumi.export(STACK_ID, settings.id)
    pulumi.export("hosts", exported_hosts(hosts))
    pulumi.export("services", exported_services(services))
    if way is not None:
        pulumi.export(OUTPUT, way.exported)
    if tailnet_keys:
        pulumi.export("tailnet_keys", exported_keys(tailnet_keys))
    done = [*logins(hosts), *(step for service in services.values() for step in service.steps)]
    done += way.steps if way is not None else []
    pulumi.export(LOGIN_KEY, once_done(keys, done))


main()
