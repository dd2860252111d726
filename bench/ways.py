"""Figures of the ways in: a quiet preview of the whole stack, and where its time goes."""

import tempfile
from pathlib import Path

from bench.measure import CHECKOUT, Figures, paired, seconds
from bench.stacks import empty_project

LAB = CHECKOUT / "bin" / "lab"


def ways_figures() -> Figures:
    """Needs root and a warm cache; leaves the lab as `make up` does."""
    figures = Figures("The ways in")
    seconds(["make", "up"])
    _preview(figures)
    _parts(figures)
    return figures


def _preview(figures: Figures) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        project = empty_project(Path(scratch))
        ours: list[str | Path] = [LAB, "run", "--", "pulumi", "preview"]
        nothing: list[str | Path] = [LAB, "run", "--stack", project / "Pulumi.dev.yaml", "--"]
        mine, theirs, ratio = paired((ours, CHECKOUT), ([*nothing, "pulumi", "preview"], project))
    figures.add(
        "`preview` of the whole stack, nothing to change, against an empty program",
        f"{mine:.2f} s / {theirs:.2f} s = {ratio:.2f}",
        "3.0",
        met=ratio <= 3,
    )


def _parts(figures: Figures) -> None:
    """Where the time of that preview goes, as far as it can be told apart."""
    python = CHECKOUT / "bin" / "python"
    imports = seconds([python, "-c", "import infra.ways, infra.guard.destroy_only, infra.tailnet"])
    doubles = "lab.doubles.cloudflare.plugin, lab.doubles.tailscale.plugin"
    plugins = seconds([python, "-c", f"import {doubles}, lab.doubles.command.plugin"])
    command = seconds([LAB, "run", "--", "true"])
    figures.add(
        "of it: `lab run`, the program's imports, the imports of the providers' doubles",
        f"{command:.2f} s, {imports:.2f} s, {plugins:.2f} s",
        "told",
        met=True,
    )
