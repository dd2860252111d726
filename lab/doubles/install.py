"""How a double is started, and how it is put where the engine looks for plugins.

A plain executable gives every provider of every run a process of its own: nothing is shared.
"""

import shlex
from pathlib import Path

from lab.paths import CHECKOUT


def start_command(python: Path, module: str) -> list[str]:
    """The command that runs the `main` of `module`, of this checkout, by `python`.

    It works in any directory: plugins run in the project's.
    """
    start = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); "
        "from lab.doubles.process import begin; begin(); "
        f"from {module} import main; main()"
    )
    # Without -P what lies in the project's directory could stand in for our modules.
    return [str(python), "-P", "-c", start]


def install(plugins: Path, name: str, version: str, command: list[str]) -> Path:
    """Write `resource-NAME-vVERSION/pulumi-resource-NAME` below `plugins`; returns its path.

    An executable that is there already is replaced: whether it is the real plugin, the caller
    must have looked.
    """
    directory = plugins / f"resource-{name}-v{version}"
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / f"pulumi-resource-{name}"
    # Byte code makes the start three times faster.
    text = (
        "#!/bin/sh\n"
        f"# The lab's double of pulumi-resource-{name} {version}; not the real plugin.\n"
        "unset PYTHONDONTWRITEBYTECODE\n"
        f'exec {shlex.join(command)} "$@"\n'
    )
    scratch = program.with_suffix(".new")
    scratch.write_text(text)
    scratch.chmod(0o755)
    scratch.replace(program)
    return program
