"""Puts a double where the engine looks for plugins, as a plain executable.

A plain executable gives every provider of every run a process of its own: nothing is shared.
"""

import shlex
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent.parent


def install(plugins: Path, python: Path, name: str, version: str, module: str) -> Path:
    """Write `resource-NAME-vVERSION/pulumi-resource-NAME` below `plugins`; returns its path.

    `python` runs it; `module` of this checkout has the `main` to call. An executable that is
    there already is replaced: whether the real plugin is, the caller must have looked.
    """
    directory = plugins / f"resource-{name}-v{version}"
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / f"pulumi-resource-{name}"
    start = (
        f"import sys; sys.path.insert(0, {str(_CHECKOUT)!r}); "
        f"from lab.doubles.process import end_with_signals; end_with_signals(); "
        f"from {module} import main; main()"
    )
    # Without -P a program's directory, where plugins run, could stand in for our modules.
    # Byte code makes the start three times faster.
    text = (
        "#!/bin/sh\n"
        f"# The lab's double of pulumi-resource-{name} {version}; not the real plugin.\n"
        "unset PYTHONDONTWRITEBYTECODE\n"
        f'exec {shlex.quote(str(python))} -P -c {shlex.quote(start)} "$@"\n'
    )
    scratch = program.with_suffix(".new")
    scratch.write_text(text)
    scratch.chmod(0o755)
    scratch.replace(program)
    return program
