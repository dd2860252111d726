"""`lab run`: a command inside the lab, with an environment that points every provider at it."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import which

from lab.errors import LabError
from lab.host.enter import command_inside
from lab.paths import CHECKOUT, LabPaths
from lab.process.ask import ask_running
from lab.stack.prepare import prepare_stack
from lab.stack.side import lab_side
from lab.world import load_world

# Those that may stand before a subcommand, of Pulumi 3.259.
_FLAGS_WITH_A_VALUE = {
    "-C",
    "--cwd",
    "--color",
    "--memprofilerate",
    "--otel-traces",
    "--profiling",
    "-s",
    "--stack",
    "--tracing",
    "-v",
    "--verbose",
}


def run_inside(paths: LabPaths, stack: Path, command: list[str]) -> None:
    """Replace this process by `command`, with the state and the copy of the stack file `stack`."""
    full, environment = command_for(
        paths,
        stack,
        command,
        directory=Path.cwd(),
        caller=os.environ,
        say=lambda line: print(line, file=sys.stderr),
    )
    sys.stdout.flush()
    os.execvpe(full[0], full, environment)  # noqa: S606 - replaces this process on purpose


def command_for(
    paths: LabPaths,
    stack: Path,
    command: list[str],
    *,
    directory: Path,
    caller: Mapping[str, str],
    say: Callable[[str], None],
) -> tuple[list[str], dict[str, str]]:
    """What is executed for `command` in `directory`, and its environment; LabError.

    `caller` is the environment of the person, `say` takes a line for them.
    """
    status = ask_running(paths, "GET", "/status")
    if not status["containers"] and (making := _making(command)) is not None:
        raise LabError(
            f"pulumi {making}: needs containers, and lab {paths.name} has none "
            f"({'; '.join(status['missing'])}); `pulumi preview` works"
        )
    pulumi = _pulumi(paths)
    world = load_world(paths.world)
    prepared = prepare_stack(
        paths,
        stack,
        _project(directory),
        lab_side(
            paths,
            world,
            status["endpoint"],
            cloudflare_url=status["cloudflare_url"],
            tailscale_url=status["tailscale_url"],
        ),
        programs=(pulumi.parent, Path(sys.executable).parent),
        caller=caller,
        say=say,
    )
    environment = prepared.environment | {"PULUMI_IGNORE_AMBIENT_PLUGINS": "true"}
    if which(command[0], path=environment["PATH"]) is None:
        raise LabError(f"{command[0]}: no such program, or not to be executed")
    return (command_inside(paths, command) if status["containers"] else command), environment


def _making(command: list[str]) -> str | None:
    """The subcommand of pulumi that makes containers, if `command` is one."""
    if Path(command[0]).name != "pulumi":
        return None
    words = iter(command[1:])
    for word in words:
        if word in _FLAGS_WITH_A_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word if word in {"up", "update", "watch"} else None
    return None


def _pulumi(paths: LabPaths) -> Path:
    programs = json.loads((paths.root / "programs.json").read_text(encoding="utf-8"))
    return Path(next(p["path"] for p in programs if p["name"] == "pulumi"))


def _project(here: Path) -> Path:
    """The Pulumi project that the person stands in, else this checkout."""
    return next((p for p in (here, *here.parents) if (p / "Pulumi.yaml").exists()), CHECKOUT)
