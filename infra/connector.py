"""cloudflared on a host: it stops before the names, the routes and the tunnel go."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra import remote
from infra.hosts import Host
from infra.remote import Step
from infra.service import GuestProgram
from infra.settings.ways_result import TunnelSettings
from infra.text import connector as text
from infra.text import scripts

CONNECT_LIMIT_S = 3600
STOP_LIMIT_S = 900


@dataclass(frozen=True)
class ConnectorArgs:
    """`published` must outlive the connector: a tunnel with live connections cannot be deleted."""

    settings: TunnelSettings
    host: Host
    guest: GuestProgram
    token: pulumi.Output[str]
    published: Sequence[pulumi.Resource]
    owner: str
    left: pulumi.ResourceHookBinding | None


class Connector(pulumi.ComponentResource):
    """One cloudflared. Its steps are named by host and unit: another one is another connector."""

    def __init__(
        self, name: str, args: ConnectorArgs, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("berth:infra:Connector", name, {}, opts)
        host, settings = args.host, args.settings
        its = text.name_of(host.name, settings.unit)
        # Deleted after the stop, which hangs on it: so it knows when this connector has ended. It
        # hangs on nothing itself: a destroy must know that it is one before it gets here.
        left = pulumi.Stash(
            f"{its}-left",
            input=settings.unit,
            opts=pulumi.ResourceOptions(parent=self, hooks=args.left),
        )
        # Not `deleted_with` the container: then it would not be stopped before the tunnel goes.
        below = pulumi.ResourceOptions(
            parent=self,
            hooks=host.hooks.any,
            depends_on=[
                left,
                args.guest.copy,
                *([host.container] if host.container else []),
                *([host.login.let_in] if host.login else []),
                *args.published,
            ],
        )
        named = text.disconnect(settings, owner=args.owner)
        self.stop = remote.command(
            f"{its}-disconnect",
            host.access,
            Step(
                STOP_LIMIT_S,
                remove=scripts.disconnect(args.guest.path, settings.unit),
                stdin=json.dumps(named, sort_keys=True),
                triggers=host.moved,
            ),
            opts=below,
        )
        self.stdin = args.token.apply(
            lambda token: json.dumps(
                text.connect(settings, token, owner=args.owner), sort_keys=True
            )
        )
        self.run = remote.command(
            f"{its}-connector",
            host.access,
            Step(
                CONNECT_LIMIT_S,
                run=scripts.connect(args.guest.path),
                stdin=self.stdin,
                triggers=host.made_anew,
            ),
            opts=pulumi.ResourceOptions.merge(
                below, pulumi.ResourceOptions(depends_on=[self.stop])
            ),
        )
        # The step runs again when any of these changes.
        self.asked = pulumi.Output.all(
            host.name,
            settings.unit,
            [host.access.address, host.access.port, host.access.user],
            host.access.private_key,
            host.access.host_key,
            self.run.id,
            self.run.create,
            self.stdin,
        )
        self.register_outputs({"unit": settings.unit})
