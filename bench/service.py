"""Figures of a service: from nothing to its answer, one edited line, a run with nothing to do."""

import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

import yaml

from bench.by_hand import ROUNDS, SERVICE, edit
from bench.measure import CHECKOUT, Figures, seconds
from bench.stacks import container_stack, empty_project
from lab.paths import LabPaths
from lab.toolchain.debian import ensure_debian_packages

LAB = CHECKOUT / "bin" / "lab"
PYTHON = CHECKOUT / "bin" / "python"
ADDRESS = "192.168.1.150"
ABOVE_S = 1.0
MOMENTS = {
    "the engine and its plugins": r"chat-container creating",
    "container": r"chat-container created",
    "login": r"chat-login created",
    "copies": r"chat-archive created",
    "release": r"building environment",
    "environment": r"starting chat\.service",
    "start to health": r"chat-deploy created",
    "asking from outside": r"/healthz 200",
}
Words = list[str | Path]


def service_figures() -> Figures:
    """Needs root and a warm cache; leaves the lab as `make up` does."""
    figures = Figures("A service")
    seconds(["make", "up"])
    _from_nothing(figures)
    _quiet(figures)
    with tempfile.TemporaryDirectory() as scratch:
        _one_line(figures, Path(scratch))
    return figures


def _from_nothing(figures: Figures) -> None:
    seconds(["make", "destroy"])
    moments = _moments(["make", "up"], MOMENTS)
    answered = moments["asking from outside"]
    figures.add(
        "`make up` again after `destroy`, until the service has answered",
        f"{answered:.1f} s",
        "60 s",
        met=answered <= 60,
    )
    before = 0.0
    for what, at in moments.items():
        figures.add(f"  of which {what}", f"{at - before:.1f} s", "", met=True)
        before = at


def _moments(command: list[str], wanted: dict[str, str]) -> dict[str, float]:
    """When each text was first said, in seconds from the start; a failure ends the bench."""
    found: dict[str, float] = {}
    said = []
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=CHECKOUT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            for name, text in wanted.items():
                if name not in found and re.search(text, line):
                    found[name] = time.perf_counter() - started
    if process.returncode != 0 or found.keys() != wanted.keys():
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}\n{''.join(said)}")
    return found


def _quiet(figures: Figures) -> None:
    """sshd's own log tells; reading it is a login of its own."""
    count = "journalctl --no-pager -o cat | grep -c 'Accepted publickey'"
    before = int(_output([LAB, "ssh", "chat", "--", count]))
    run: Words = [LAB, "run", "--", "pulumi"]
    seconds([*run, "preview"])
    seconds([*run, "up", "--yes"])
    logins = int(_output([LAB, "ssh", "chat", "--", count])) - before - 1
    figures.add("SSH logins of a preview and an `up` with nothing to do", str(logins), "0",
                met=logins == 0)  # fmt: skip


def _one_line(figures: Figures, scratch: Path) -> None:
    source = scratch / "app"
    shutil.copytree(CHECKOUT / "app", source, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    stack = container_stack(scratch, 1)
    document = yaml.safe_load(stack.read_text(encoding="utf-8"))
    one = {"host": "c0", "source": str(source), "app": "app:app"}
    document["config"]["berth:services"] = {SERVICE: one}
    stack.write_text(yaml.safe_dump(document), encoding="utf-8")
    run: Words = [LAB, "run", "--stack", stack, "--", "pulumi"]
    project = empty_project(scratch)
    nothing: Words = [LAB, "run", "--stack", project / "Pulumi.dev.yaml", "--", "pulumi"]
    seconds([*run, "up", "--yes", "--skip-preview"])
    by_hand = _by_hand(source)
    for flags in (["--skip-preview"], []):
        ours, empty = [], []
        for number in range(ROUNDS):
            edit(source, number)
            ours.append(seconds([*run, "up", "--yes", *flags]))
            empty.append(seconds([*nothing, "up", "--yes", *flags], project))
        above = median(ours) - median(empty) - by_hand
        figures.add(
            f"one edited line, `pulumi up {' '.join(['--yes', *flags])}` to healthy, above an "
            "empty one and the same by hand",
            f"{median(ours):.2f} s - {median(empty):.2f} s - {by_hand:.2f} s = {above:.2f} s",
            f"{ABOVE_S} s",
            met=above <= ABOVE_S,
        )
    seconds([*run, "destroy", "--run-program", "--yes", "--skip-preview"])


def _by_hand(source: Path) -> float:
    ensure_debian_packages(["rsync"])
    paths = LabPaths.of(json.loads(_output([LAB, "status", "--json"]))["name"])
    install = "(apt-get update -qq && apt-get install -y -qq rsync) >/dev/null"
    subprocess.run([LAB, "ssh", "c0", "--", install], check=True, capture_output=True)
    words: Words = [ADDRESS, paths.ssh_key, paths.known_hosts, source]
    said = _output([LAB, "run", "--", PYTHON, "-m", "bench.by_hand", *words])
    took: list[float] = json.loads(said.splitlines()[-1])
    return median(took)


def _output(command: Words) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=CHECKOUT).stdout
