"""How a container is logged in to: its host key, learnt once, and the keys that it lets in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_proxmoxve as proxmoxve

from infra import remote
from infra.container import formerly, made_anew
from infra.remote import Access, Step
from infra.settings import SshKeys
from infra.settings.ssh_keys import public_half
from infra.text import scripts

QUICK_S = 60
LOGIN_KEY = "login_key"
"""The output of the stack that holds the key which every container was last seen to accept."""


@dataclass(frozen=True)
class LoginKeys:
    """`last` is the key that the last finished `up` logged in with; `now` is that of the stack.

    They differ in one `up` after the key was exchanged: then both are let in, and `last` is what
    opens the door for `now`. The `up` after that finds them equal again, and the old one goes.
    """

    now: pulumi.Output[str] = field(repr=False)
    last: pulumi.Output[str] = field(repr=False)
    public_keys: pulumi.Output[list[str]]


def login_keys(ssh: SshKeys, last_outputs: Mapping[str, Any]) -> LoginKeys:
    """The keys of this run. What the last one used is among this stack's own outputs."""
    known: str | None = last_outputs.get(LOGIN_KEY)
    last = pulumi.Output.secret(known) if known else ssh.private_key
    pulumi.Output.all(last, ssh.private_key).apply(lambda keys: _say_exchange(*keys))
    halves = pulumi.Output.unsecret(last.apply(public_half))
    public_keys = halves.apply(lambda half: list(dict.fromkeys([*ssh.public_keys, half])))
    return LoginKeys(ssh.private_key, last, public_keys)


def _say_exchange(last: str, now: str) -> None:
    if public_half(last) != public_half(now):
        pulumi.log.info(
            "the login key is another one than in the last run: containers let in both now, and "
            "the next `pulumi up` takes the old one away"
        )


def once_done(keys: LoginKeys, steps: Iterable[pulumi.CustomResource]) -> pulumi.Output[str]:
    """The key of this run, as soon as every host has been logged in to with it."""
    done = pulumi.Output.all(*[step.id for step in steps])
    return pulumi.Output.all(keys.now, done).apply(lambda given: str(given[0]))


@dataclass(frozen=True)
class LoginArgs:
    """`container` is the machine itself: when it is made anew, so is everything here."""

    address: str
    container: proxmoxve.ContainerLegacy
    keys: LoginKeys
    root_password: pulumi.Output[str] | None = field(repr=False)
    hooks: pulumi.ResourceHookBinding | None
    was: str | None = None


class Login(pulumi.ComponentResource):
    """Learns the host key of a new container, and writes its authorized_keys.

    `access` waits for both: whoever logs in with it, does so with the key of this run.
    """

    def __init__(
        self, name: str, args: LoginArgs, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("berth:infra:Login", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self, deleted_with=args.container, hooks=args.hooks)
        anew = made_anew(args.container)
        unknown = Access(args.address, 22, "root", args.keys.last, None)
        learnt = remote.question(
            f"{name}-host-key",
            unknown,
            Step(QUICK_S, run=scripts.host_key(), triggers=anew),
            opts=_also(child, args.was and f"{args.was}-host-key"),
        )
        self.host_key = learnt.stdout
        through = Access(args.address, 22, "root", args.keys.last, self.host_key)
        stdin = pulumi.Output.all(args.keys.public_keys, args.root_password).apply(
            lambda given: scripts.login_input(given[0], given[1])
        )
        self.let_in = remote.command(
            f"{name}-login",
            through,
            Step(QUICK_S, run=scripts.login(), stdin=stdin, triggers=anew),
            opts=_also(child, args.was and f"{args.was}-login"),
        )
        self.access = Access(args.address, 22, "root", args.keys.now, self.host_key)
        self.register_outputs({"host_key": self.host_key})


def _also(opts: pulumi.ResourceOptions, name: str | None) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=formerly(name)))
