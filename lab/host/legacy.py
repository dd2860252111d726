"""Groups on cgroup v1: made, limited and removed. Standard library only."""

from pathlib import Path


def prepare(hierarchy: Path, controller: str, group: str, files: list[tuple[str, str]]) -> None:
    """Make `<hierarchy>/<group>` of `controller` and set its limits."""
    path = hierarchy
    for part in Path(group).parts:
        parent, path = path, path / part
        path.mkdir(exist_ok=True)
        if controller == "cpuset":
            # A new cpuset has no processor and no memory, and takes no process.
            for name in ("cpuset.cpus", "cpuset.mems"):
                if not (path / name).read_text().strip():
                    (path / name).write_text((parent / name).read_text())
    write_limits(path, files)


def write_limits(group: Path, files: list[tuple[str, str]]) -> None:
    """Set limits; OSError when the kernel refuses, for one below what is used now."""
    present = [
        (group / name.rstrip("?"), value)
        for name, value in files
        if not name.endswith("?") or (group / name.rstrip("?")).exists()
    ]
    try:
        for path, value in present:
            path.write_text(value)
    except OSError:
        # The limit with swap may never be below the one without: one of the two orders works.
        for path, value in reversed(present):
            path.write_text(value)
