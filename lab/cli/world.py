"""`lab world`: a world file on standard output."""

from pathlib import Path

from lab.paths import LabPaths
from lab.world import DEFAULT_WORLD


def world_text(paths: LabPaths, source: Path | None) -> str:
    """The world made for the stack file `source`, else the lab's own, else the default."""
    if source is not None:
        from lab.world.from_stack import world_from_stack

        return world_from_stack(source)
    present = paths.world if paths.world.exists() else DEFAULT_WORLD
    return present.read_text(encoding="utf-8")
