"""Figures of the ways in: edge and tunnel against the direct way, a new route, a quiet preview."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

import yaml

from bench.measure import CHECKOUT, Figures, paired, seconds
from bench.stacks import empty_project

LAB = CHECKOUT / "bin" / "lab"
STACK = CHECKOUT / "Pulumi.prod.yaml"
DIRECT = "https://192.168.1.111:8000/healthz"
PUBLIC = "https://chat.jackshome.com/healthz"
NEW = "bench.jackshome.com"


def ways_figures() -> Figures:
    """Needs root and a warm cache; leaves the lab as `make up` does."""
    figures = Figures("The ways in")
    seconds(["make", "up"])
    _preview(figures)
    _parts(figures)
    _requests(figures)
    _route(figures)
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
        "of it: `lab run`, the program's imports, the doubles' imports",
        f"{command:.2f} s, {imports:.2f} s, {plugins:.2f} s",
        "told",
        met=True,
    )


def _requests(figures: Figures) -> None:
    found = json.loads(_output(LAB, "run", "--", "python", "-m", "bench.rate", DIRECT, PUBLIC))
    more = found["public_ms"] - found["direct_ms"]
    figures.add(
        "a request through edge and tunnel, above the direct one, median",
        f"{found['public_ms']:.1f} ms - {found['direct_ms']:.1f} ms = {more:.1f} ms",
        "5 ms",
        met=more <= 5,
    )
    rate = found["at_rate"]
    figures.add(
        "200 requests a second for 30 s",
        f"{rate['errors']} errors of {rate['requests']}, median {rate['median_ms']:.1f} ms, "
        f"p99 {rate['p99_ms']:.0f} ms",
        "no error",
        met=rate["errors"] == 0,
    )
    ratio = found["saturated_public"] / found["saturated_direct"]
    figures.add(
        "at saturation, against the direct way",
        f"{found['saturated_public']:.0f}/s / {found['saturated_direct']:.0f}/s = {ratio:.2f}",
        "told",
        met=True,
    )


def _route(figures: Figures) -> None:
    """From the end of `up` until the new name answers as somebody outside asks for it."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / STACK.name
        document = yaml.safe_load(STACK.read_text(encoding="utf-8"))
        service = document["config"]["berth:services"]["chat"]
        service["source"] = str(CHECKOUT / service["source"])
        run: list[str | Path] = [LAB, "run", "--stack", file, "--", "pulumi"]
        up: list[str | Path] = [*run, "up", "--yes", "--skip-preview"]
        service["routes"].append({**service["routes"][0], "hostname": NEW})
        file.write_text(yaml.safe_dump(document))
        seconds(up)
        ended = time.perf_counter()
        while _asked() != "200":
            if time.perf_counter() - ended > 30:
                raise SystemExit(f"{NEW} did not answer within 30 s of `up`")
        took = time.perf_counter() - ended
        service["routes"].pop()
        file.write_text(yaml.safe_dump(document))
        seconds(up)
    figures.add(
        "a route added to a running stack, from the end of `up` to its first answer",
        f"{took:.1f} s",
        "5 s",
        met=took <= 5,
    )


def _asked() -> str:
    options = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
    done = subprocess.run(
        [LAB, "curl", f"https://{NEW}/healthz", *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()


def _output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
