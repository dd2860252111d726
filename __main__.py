"""Table of contents: settings, hosts, exports."""

import pulumi

from infra.guard.destroy_only import declare_destroy_only, is_destroy_only
from infra.guard.guard import Guard
from infra.hosts import declare_hosts, exported
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
    guard = Guard(settings, project=project, stack=stack)
    hosts = declare_hosts(settings, guard)
    pulumi.export("hosts", exported(hosts))


main()
