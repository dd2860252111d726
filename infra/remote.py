"""The only place that makes command resources: what runs, with what on stdin, for how long."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
from pulumi_command import Provider, remote

DIAL_LIMIT_S = 5
DIALS = 9
FIRST_DIALS = 20
"""A machine that was just made boots before it answers."""
KILL_AFTER_S = 30
COPY_LIMIT = "30m"


@dataclass(frozen=True)
class Access:
    """How a host is logged in to. Without a `host_key` anything that answers is believed."""

    address: str
    port: int
    user: str
    private_key: pulumi.Input[str] = field(repr=False)
    host_key: pulumi.Input[str] | None

    @property
    def is_root(self) -> bool:
        """Others need passwordless sudo."""
        return self.user == "root"


@dataclass(frozen=True)
class Step:
    """What a host is asked to do. Every text is a shell script without any secret in it.

    It runs again when any of this changes, so it says "unchanged" where nothing is to be done.
    `triggers` make the resource anew: what it was made on is another machine now. `attempt` only
    labels `run`, so that another label runs it again.
    """

    limit_s: int
    run: str | None = None
    remove: str | None = None
    stdin: pulumi.Input[str] | None = field(default=None, repr=False)
    triggers: list[pulumi.Input[str]] = field(default_factory=list)
    attempt: pulumi.Input[str] | None = None


def provider() -> pulumi.ProviderResource:
    """What runs the steps. Declared, it starts beside the Proxmox provider and not after it."""
    return Provider("steps")


def command(
    name: str, access: Access, step: Step, *, opts: pulumi.ResourceOptions
) -> remote.Command:
    """One step on a host; progress on its stderr is shown while it runs."""
    secret = pulumi.ResourceOptions(additional_secret_outputs=["stdout", "stderr"])
    return remote.Command(
        name,
        connection=_connection(access),
        create=_labelled(_bounded(step.run, step.limit_s, access), step) if step.run else None,
        delete=_bounded(step.remove, step.limit_s, access) if step.remove else None,
        stdin=pulumi.Output.secret(step.stdin) if step.stdin is not None else None,
        triggers=step.triggers,
        logging=remote.Logging.STDERR,
        add_previous_output_in_env=False,
        opts=pulumi.ResourceOptions.merge(opts, secret),
    )


def question(
    name: str, access: Access, step: Step, *, opts: pulumi.ResourceOptions
) -> remote.Command:
    """A step whose answer on stdout is no secret, and is never asked for again over another way."""
    once = pulumi.ResourceOptions(ignore_changes=["connection", "create"])
    return remote.Command(
        name,
        connection=_connection(access, FIRST_DIALS),
        create=_bounded(step.run or "", step.limit_s, access),
        triggers=step.triggers,
        logging=remote.Logging.STDERR,
        add_previous_output_in_env=False,
        opts=pulumi.ResourceOptions.merge(opts, once),
    )


def copy(
    name: str,
    access: Access,
    source: Path,
    remote_path: str,
    triggers: list[pulumi.Input[str]],
    *,
    opts: pulumi.ResourceOptions,
) -> remote.CopyToRemote:
    """A file, copied when its content or its place changes. The state holds its hash alone."""
    limited = pulumi.ResourceOptions(
        custom_timeouts=pulumi.CustomTimeouts(create=COPY_LIMIT, update=COPY_LIMIT)
    )
    return remote.CopyToRemote(
        name,
        connection=_connection(access),
        source=pulumi.FileAsset(str(source)),
        remote_path=remote_path,
        triggers=triggers,
        opts=pulumi.ResourceOptions.merge(opts, limited),
    )


def _connection(access: Access, dials: int = DIALS) -> remote.ConnectionArgs:
    return remote.ConnectionArgs(
        host=access.address,
        port=access.port,
        user=access.user,
        private_key=access.private_key,
        host_key=access.host_key,
        dial_error_limit=dials,
        per_dial_timeout=DIAL_LIMIT_S,
    )


def _bounded(script: str, limit_s: int, access: Access) -> str:
    words = ["timeout", f"--kill-after={KILL_AFTER_S}", str(limit_s), "sh", "-c", script]
    return shlex.join(words if access.is_root else ["sudo", "-n", *words])


def _labelled(text: str, step: Step) -> pulumi.Input[str]:
    return text if step.attempt is None else pulumi.Output.concat(text, " ", step.attempt)
