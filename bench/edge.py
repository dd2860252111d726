"""Figures of a public name: what edge and tunnel cost, what they carry, when a new one answers."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

from bench.measure import CHECKOUT, Figures, seconds
from bench.stacks import public_stack

LAB = str(CHECKOUT / "bin" / "lab")
DIRECT, PUBLIC = "https://192.168.1.111:8000/healthz", "https://chat.jackshome.com/healthz"
"""The service of Pulumi.prod.yaml, asked in its network and by its name."""
_WAIT_S = 30


def edge_figures() -> Figures:
    """Needs root and a warm cache; leaves the lab as `make up` does."""
    figures = Figures("A public name")
    seconds(["make", "up"])
    _rates(figures)
    _new_route(figures)
    return figures


def _rates(figures: Figures) -> None:
    command = [LAB, "run", "--", "python", "-m", "bench.rate", DIRECT, PUBLIC]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=CHECKOUT)
    seen = json.loads(done.stdout.splitlines()[-1])
    direct, public = seen["direct_ms"], seen["public_ms"]
    figures.add(
        "a request through edge and tunnel, above the direct one (medians)",
        f"{public:.1f} ms - {direct:.1f} ms = {public - direct:.1f} ms",
        "5 ms",
        met=public - direct <= 5,
    )
    rate = seen["at_rate"]
    figures.add(
        "200 requests a second for 30 s",
        f"{rate['requests']} in {rate['took_s']:.1f} s, {rate['errors']} errors, "
        f"median {rate['median_ms']:.1f} ms",
        "no error",
        met=rate["errors"] == 0 and rate["took_s"] <= 31,
    )
    most, direct_most = seen["saturated_public"], seen["saturated_direct"]
    figures.add(
        "requests a second at most, against direct",
        f"{most:.0f} / {direct_most:.0f} = {most / direct_most:.2f}",
        "at least 200",
        met=most >= 200,
    )


def _new_route(figures: Figures) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        names = ["bench.jackshome.com", "bench-more.jackshome.com"]
        stack = public_stack(Path(scratch), names[:1])
        run = [LAB, "run", "--stack", str(stack), "--", "pulumi"]
        up = [*run, "up", "--yes", "--skip-preview"]
        try:
            seconds(up)
            public_stack(Path(scratch), names)
            seconds(up)
            took = _until_answered(names[1])
        finally:
            seconds([*run, "destroy", "--run-program", "--yes", "--skip-preview"])
    figures.add(
        "a route added to a running stack answers after `up`",
        f"{took:.1f} s",
        "5 s",
        met=took <= 5,
    )


def _until_answered(name: str) -> float:
    began = time.perf_counter()
    asking = [LAB, "curl", f"https://{name}/healthz", "--fail", "--output", "/dev/null"]
    while subprocess.run(asking, check=False, capture_output=True).returncode != 0:
        if time.perf_counter() - began > _WAIT_S:
            raise SystemExit(f"{name}: no answer within {_WAIT_S} s")
    return time.perf_counter() - began
