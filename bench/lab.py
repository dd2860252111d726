"""Figures of the lab: the second `make up`, containers, a quiet preview, memory."""

import json
import subprocess
import tempfile
from pathlib import Path

from bench.measure import CHECKOUT, Figures, paired, seconds
from bench.stacks import container_stack, empty_project

LAB = CHECKOUT / "bin" / "lab"


def lab_figures() -> Figures:
    """Needs root and a warm cache; leaves the lab as `make up` does."""
    figures = Figures("The lab")
    seconds(["make", "up"])
    _again(figures)
    _containers(figures)
    _memory(figures)
    return figures


def _again(figures: Figures) -> None:
    seconds(["make", "destroy"])
    took = seconds(["make", "up"])
    figures.add("`make up` again after `destroy`", f"{took:.1f} s", "20 s", met=took <= 20)


def _containers(figures: Figures) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        took = {}
        for count in (10, 1):
            stack = container_stack(Path(scratch), count)
            run: list[str | Path] = [LAB, "run", "--stack", stack, "--", "pulumi"]
            up: list[str | Path] = [*run, "up", "--yes", "--skip-preview", "--parallel", "10"]
            took[count] = seconds(up)
            unchanged = seconds(up)
            if count == 1:
                _preview(figures, run, Path(scratch))
            seconds([*run, "destroy", "--run-program", "--yes", "--skip-preview"])
    bare = float(_output([CHECKOUT / "bin" / "python", "-m", "bench.bare_container", "default"]))
    more = took[1] - unchanged - bare
    figures.add(
        "one container through the provider, above LXC itself",
        f"{took[1]:.1f} s - {unchanged:.1f} s (nothing to do) - {bare:.1f} s (LXC) = {more:.1f} s",
        "5 s",
        met=more <= 5,
    )
    ratio = took[10] / took[1]
    figures.add(
        "ten containers against one",
        f"{took[10]:.1f} s / {took[1]:.1f} s = {ratio:.2f}",
        "3.0",
        met=ratio <= 3,
    )


def _preview(figures: Figures, run: list[str | Path], scratch: Path) -> None:
    project = empty_project(scratch)
    nothing: list[str | Path] = [LAB, "run", "--stack", project / "Pulumi.dev.yaml", "--"]
    mine, theirs, ratio = paired(
        ([*run, "preview"], CHECKOUT), ([*nothing, "pulumi", "preview"], project)
    )
    figures.add(
        "`preview` of a container, nothing to change, against an empty program",
        f"{mine:.2f} s / {theirs:.2f} s = {ratio:.2f}",
        "2.0",
        met=ratio <= 2,
    )


def _memory(figures: Figures) -> None:
    status = json.loads(_output([LAB, "status", "--json"]))
    mib = status["memory_bytes"] / 2**20
    figures.add("the lab's process", f"{mib:.0f} MiB", "300 MB", met=mib <= 286)


def _output(command: list[Path | str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
