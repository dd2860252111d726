"""Nothing outlives the engine."""

import signal
import subprocess
import time

import psutil
import pytest

from lab.toolchain import Toolchain
from tests.engine.toolchain.project import Project, descendants, wait_for_all

pytestmark = pytest.mark.timeout(900)

# A plain provider and something that never comes: the engine waits for the program.
HANGS = """
import asyncio, subprocess
import pulumi, pulumi_proxmoxve

pulumi_proxmoxve.Provider("node", endpoint="https://127.0.0.1:1/", api_token="a@pve!b=c")
subprocess.Popen(["sleep", "987"])
subprocess.Popen(["sleep", "986"], start_new_session=True)

async def never():
    pulumi.log.info("hangs")
    await asyncio.sleep(987)

pulumi.export("never", pulumi.Output.from_input(never()))
"""


OURS = ("language_host.py", "python-exec", "sleep 987", "sleep 986", "proxmoxve")


def test_nothing_outlives_an_engine_that_is_killed(project: Project) -> None:
    project.write(HANGS)
    with project.running("up", "--yes", "--skip-preview") as engine:
        ours = wait_for_all(engine.pid, *OURS)
        engine.kill()

        _, left = psutil.wait_procs(ours, timeout=10)

    assert left == []


@pytest.mark.parametrize("moment", [0, 0.05, 0.1, 0.2, 0.3, 0.5])
def test_nothing_outlives_an_engine_that_is_killed_while_its_programs_start(
    project: Project, moment: float
) -> None:
    project.write(HANGS)
    with project.running("preview") as engine:
        ours = set(wait_for_all(engine.pid, "language"))
        limit = time.monotonic() + moment
        while time.monotonic() < limit:
            ours |= set(descendants(engine.pid))
            time.sleep(0.01)
        engine.kill()

        _, left = psutil.wait_procs(ours, timeout=10)

    assert left == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_with_everything_and_without_a_traceback(
    project: Project, number: signal.Signals
) -> None:
    project.write(HANGS)
    with project.running("up", "--yes", "--skip-preview") as engine:
        ours = wait_for_all(engine.pid, *OURS)
        engine.send_signal(number)
        said, _ = engine.communicate(timeout=60)

    assert engine.returncode != 0
    assert "update canceled" in said
    assert "Traceback" not in said
    _, left = psutil.wait_procs(ours, timeout=10)
    assert left == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_language_host_obeys_signals_in_silence(
    toolchain: Toolchain, number: signal.Signals
) -> None:
    # The engine waits five seconds for one that does not, twice in every run.
    host = toolchain.pulumi.with_name("pulumi-language-python")
    with subprocess.Popen(
        [host, "127.0.0.1:1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert int(process.stdout.readline()) > 0
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()

    assert process.returncode == 0
    assert errors == ""
