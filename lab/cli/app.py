"""The commands of `bin/lab`, one function each; errors become one message and exit code 1."""

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from lab.cli.suggest import remember, suggest
from lab.errors import LabError, refusal
from lab.paths import DEFAULT_NAME, LabPaths

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A Proxmox, its network and its containers on this machine, for real stack files.",
)

Name = Annotated[
    str,
    typer.Option(
        "--name",
        envvar="BERTH_LAB",
        callback=remember,
        help="Which lab, where there are several.",
    ),
]
StackFile = Annotated[
    Path,
    typer.Option("--stack", envvar="BERTH_STACK_FILE", help="The stack file to run, unmodified."),
]
Machine = Annotated[
    str, typer.Argument(metavar="NAME", help="The node, a host of the world, or a container.")
]
DEFAULT_STACK = Path(__file__).resolve().parent.parent.parent / "Pulumi.prod.yaml"
Arguments = Annotated[list[str] | None, typer.Argument(help="After --: the command.")]


@app.command()
def up(
    name: Name = DEFAULT_NAME,
    world: Annotated[
        Path | None, typer.Option("--world", help="The world file; the default covers the seeds.")
    ] = None,
    containers: Annotated[
        bool, typer.Option("--containers", help="Refuse to come up without real containers.")
    ] = False,
) -> None:
    """Set everything up that is missing, and start the lab. Twice is a no-op."""
    from lab.cli.lifecycle import bring_up

    bring_up(LabPaths.of(name), world, need_containers=containers)


@app.command()
def setup(
    containers: Annotated[
        bool, typer.Option("--containers", help="Refuse where real containers cannot be had.")
    ] = False,
) -> None:
    """Build and install what is missing, without starting anything."""
    from lab.cli.lifecycle import prepare_machine

    prepare_machine(need_containers=containers)


@app.command()
def down(name: Name = DEFAULT_NAME) -> None:
    """Remove every container, process, interface, mount and file of the lab."""
    from lab.cli.lifecycle import take_down

    take_down(LabPaths.of(name))


@app.command()
def status(
    name: Name = DEFAULT_NAME,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """What runs, at which address, and which program serves what."""
    from lab.cli.status import print_table, read_status

    answer = read_status(LabPaths.of(name))
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    else:
        print_table(answer)


@app.command()
def logs(
    name: Name = DEFAULT_NAME,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1)] = 50,
) -> None:
    """The log of the lab's process."""
    from lab.cli.logs import print_log

    print_log(LabPaths.of(name), lines=lines, follow=follow)


@app.command(context_settings={"ignore_unknown_options": True})
def ssh(
    host: Annotated[str, typer.Argument(metavar="NAME", help="A host, a VM id, or the node.")],
    command: Arguments = None,
    name: Name = DEFAULT_NAME,
) -> None:
    """Log in as root over SSH, with the key that stacks log in with."""
    from lab.cli.login import log_in

    log_in(LabPaths.of(name), host, command or [])


@app.command()
def greet(name: Name = DEFAULT_NAME, stack: StackFile = DEFAULT_STACK) -> None:
    """Log in to every host of a stack file, and ask every service of it."""
    from lab.cli.login import greet as greet_hosts

    greet_hosts(LabPaths.of(name), stack)


@app.command(context_settings={"ignore_unknown_options": True})
def run(
    command: Arguments = None,
    name: Name = DEFAULT_NAME,
    stack: StackFile = DEFAULT_STACK,
) -> None:
    """Run a command inside the lab, pulumi for instance: `bin/lab run -- pulumi preview`."""
    from lab.cli.run import run_inside

    if not command:
        raise LabError("lab run: nothing to run; for instance `bin/lab run -- pulumi preview`")
    run_inside(LabPaths.of(name), stack, command)


@app.command(context_settings={"ignore_unknown_options": True})
def curl(
    arguments: Annotated[
        list[str], typer.Argument(metavar="URL [CURL'S OPTIONS]", help="As curl takes them.")
    ],
    name: Name = DEFAULT_NAME,
) -> None:
    """Fetch a public name as somebody outside would: `bin/lab curl https://NAME/ -i`."""
    from lab.cli.curl import fetch

    fetch(LabPaths.of(name), arguments)


@app.command()
def world(
    name: Name = DEFAULT_NAME,
    source: Annotated[
        Path | None, typer.Option("--from", help="Write a world that fits this stack file.")
    ] = None,
) -> None:
    """Print the lab's world, the default one before `lab up`, or one made for a stack file."""
    from lab.cli.world import world_text

    typer.echo(world_text(LabPaths.of(name), source), nl=False)


@app.command()
def start(
    host: Machine,
    name: Name = DEFAULT_NAME,
) -> None:
    """Switch on a machine that is off."""
    from lab.process.ask import switch_host

    switch_host(LabPaths.of(name), host, "start")


@app.command()
def stop(
    host: Machine,
    name: Name = DEFAULT_NAME,
) -> None:
    """Switch off a machine; the node takes its containers along."""
    from lab.process.ask import switch_host

    switch_host(LabPaths.of(name), host, "stop")


@app.command()
def packages(
    state: Annotated[str, typer.Argument(metavar="on|off")],
    name: Name = DEFAULT_NAME,
) -> None:
    """Open or cut the way of the containers to Debian's and Python's packages."""
    from lab.process.ask import ask_running

    if state not in {"on", "off"}:
        raise LabError(f"lab packages: takes on or off, got {state!r}")
    ask_running(LabPaths.of(name), "POST", f"/packages/{state}")


def main() -> NoReturn:
    """Entry point; turns a LabError, and what the system refuses, into a text and exit code 1."""
    try:
        app(prog_name="bin/lab", standalone_mode=True)
    except LabError as error:
        print(f"error: {suggest(str(error))}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if (said := refusal(error)) is None:
            raise
        print(f"error: {said}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)
