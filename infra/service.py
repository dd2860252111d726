"""A service on a host: what the stack file says of it, as one archive and one remote step."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

import pulumi

from infra import remote, sent
from infra.hosts import Host
from infra.remote import Step
from infra.settings import ServiceSettings, Settings
from infra.settings.service import Service as Spec
from infra.step_words import send_again
from infra.text import document, scripts
from infra.text.document import Sent

REMOVE_LIMIT_S = 1800
DEPLOY_SPARE_S = 3600
"""What a deploy may take besides its start: waiting for another, packages, an environment."""


@dataclass(frozen=True)
class ServiceArgs:
    """`owner` is written on what is placed, so that nothing of anybody else's is ever touched."""

    settings: ServiceSettings = field(repr=False)
    host: Host
    guest: "GuestProgram"
    owner: str


class GuestProgram(pulumi.ComponentResource):
    """The program that does on a host what must be atomic there, at a path named by its hash."""

    def __init__(self, host: Host, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("berth:infra:GuestProgram", host.name, {}, opts)
        source = sent.guest_program()
        self.path = f"{host.home}/guest/{source.name}"
        self.copy = remote.copy(
            f"{host.name}-guest",
            host.access,
            source,
            self.path,
            host.made_anew,
            opts=host.below(self),
        )
        self.register_outputs({"path": self.path})


class Service(pulumi.ComponentResource):
    """One FastAPI service. `url` is where its host's neighbours reach it."""

    def __init__(
        self, name: str, args: ServiceArgs, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("berth:infra:Service", name, {}, opts)
        host, spec, places = args.host, args.settings.spec, args.settings.places
        archive = sent.archive(name, args.settings.tree)
        program = args.guest.path
        # An archive is named by the hash of what is in it: `<hash>.tar.gz`.
        travels = Sent(
            name,
            archive.name.partition(".")[0],
            send_again(name, host.name),
            f"{host.home}/incoming",
        )
        # One after the other: both make the directory that they share.
        below = pulumi.ResourceOptions.merge(
            host.below(self), pulumi.ResourceOptions(depends_on=[args.guest.copy])
        )
        named = document.named(places, owner=args.owner)
        # Before the deploy, so that what a first deploy leaves half done can be removed.
        removal = remote.command(
            f"{name}-remove",
            host.access,
            Step(
                REMOVE_LIMIT_S,
                remove=scripts.remove(program, name),
                stdin=json.dumps(named, sort_keys=True),
                triggers=host.moved,
            ),
            opts=pulumi.ResourceOptions.merge(
                below, pulumi.ResourceOptions(hooks=host.hooks.remove)
            ),
        )
        copied = remote.copy(
            f"{name}-archive", host.access, archive, travels.path, host.made_anew, opts=below
        )
        variables, tls = list(args.settings.secrets), args.settings.tls

        def asked(values: Sequence[str]) -> str:
            secrets = dict(zip(variables, values, strict=False))
            # Behind them come certificate and key, where they are sent.
            texts = (values[-2], values[-1]) if tls and tls.texts else None
            project = args.settings.project
            told = document.deploy(
                places,
                spec,
                project,
                travels,
                owner=args.owner,
                secrets=secrets,
                tls=tls,
                tls_texts=texts,
            )
            return json.dumps(told, sort_keys=True)

        values = pulumi.Output.all(
            *args.settings.secrets.values(), *(tls.texts if tls and tls.texts else ())
        )
        stdin: pulumi.Output[str] = values.apply(asked)
        intent = pulumi.Stash(
            f"{name}-intent",
            # Secret where the document holds secrets: a hash of short ones is one itself.
            input=stdin.apply(_digest),
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["input"]),
        )
        self.deploy = remote.command(
            f"{name}-deploy",
            host.access,
            Step(
                DEPLOY_SPARE_S + spec.health.limit_s + spec.drain_s,
                run=scripts.deploy(program),
                stdin=stdin,
                triggers=host.made_anew,
                # Noted before the step begins, and never twice the same: after a step that was cut
                # off it runs again even where the stack file has gone back to what it was.
                attempt=intent.id,
            ),
            opts=pulumi.ResourceOptions.merge(
                below,
                pulumi.ResourceOptions(depends_on=[copied, removal], hooks=host.hooks.deploy),
            ),
        )
        self.intent = intent.id
        # The deploy looks at a certificate that only the host has.
        self.is_looked_at = bool(tls and tls.verified)
        self.host, self.unit = host.name, places.unit
        self.steps = (removal, copied, self.deploy)
        self.url = _url(host.access.address, spec)
        self.register_outputs({"url": self.url})


class GuestPrograms:
    """The guest program of each host that needs it, made when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, GuestProgram] = {}

    def of(self, host: Host) -> GuestProgram:
        """The one of this host."""
        if host.name not in self._made:
            self._made[host.name] = GuestProgram(host)
        return self._made[host.name]


def declare_services(
    settings: Settings,
    hosts: Mapping[str, Host],
    guests: GuestPrograms,
    *,
    project: str,
    stack: str,
) -> dict[str, Service]:
    """Make the components, by name."""
    made = {}
    for name, one in settings.services.items():
        host = hosts[one.spec.host]
        guest = guests.of(host)
        owner = f"{project}/{stack}/{name}/{settings.id}"
        made[name] = Service(name, ServiceArgs(one, host, guest, owner))
    return made


def exported(services: Mapping[str, Service]) -> dict[str, dict[str, str]]:
    """The stack's output `services`."""
    return {
        name: {"host": service.host, "unit": service.unit, "url": service.url}
        for name, service in services.items()
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _url(address: str, spec: Spec) -> str:
    """Where the service is asked from outside; from its host alone where it listens there only."""
    listen = ip_address(spec.listen)
    at = address if listen.is_unspecified else spec.listen
    scheme = "https" if spec.tls else "http"
    return f"{scheme}://[{at}]:{spec.port}" if ":" in at else f"{scheme}://{at}:{spec.port}"
