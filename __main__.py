"""Table of contents: settings, hosts, services, exports."""

import atexit
import gc

import pulumi

from infra.guard.destroy_only import declare_destroy_only, is_destroy_only
from infra.guard.guard import Guard
from infra.guard.steps import watch_steps
from infra.hosts import declare_hosts, logins
from infra.hosts import exported as exported_hosts
from infra.login import LOGIN_KEY, login_keys, once_done
from infra.service import declare_services
from infra.service import exported as exported_services
from infra.settings import load


def main() -> None:
    """Declare the stack that the engine has selected."""
    project, stack = pulumi.get_project(), pulumi.get_stack()
    if is_destroy_only():
        declare_destroy_only()
        return
    settings = load()
    for warning in settings.warnings:
        pulumi.log.warn(warning)
    keys = login_keys(settings.ssh, project, stack)
    guard = Guard(settings, keys.public_keys, project=project, stack=stack)
    steps = watch_steps(
        {name: one.spec.host for name, one in settings.services.items()}, guard.before_step_delete
    )
    hosts = declare_hosts(settings, guard, keys, steps)
    services = declare_services(settings, hosts, project=project, stack=stack)
    pulumi.export("hosts", exported_hosts(hosts))
    pulumi.export("services", exported_services(services))
    done = [*logins(hosts), *(step for service in services.values() for step in service.steps)]
    pulumi.export(LOGIN_KEY, once_done(keys, done))


# The process ends with its program: collecting what is left takes a tenth of a second.
atexit.register(gc.freeze)
main()
