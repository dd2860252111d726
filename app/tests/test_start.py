"""The start: a wrong setting ends it in one line, importing does nothing, PORT is listened on."""

import os
import sys

import httpx
import pytest

from app import Settings, create_app
from tests.server import UVICORN, end_of, free_port, served, wait_for

APP = (sys.executable, "-m", "app")
PROBLEM = "PORT: must be a whole number from 1 to 65535, got 'abc'\n"


@pytest.mark.parametrize("command", [UVICORN, APP, (*APP, "--reload")])
def test_a_wrong_setting_ends_the_start_with_one_line_and_no_traceback(
    command: tuple[str, ...],
) -> None:
    done = end_of(*command, PORT="abc")
    assert done.returncode == os.EX_CONFIG
    assert done.stdout + done.stderr == PROBLEM


@pytest.mark.parametrize("option", [("--workers", "2"), ("--reload",)])
def test_a_supervisor_does_not_start_a_wrongly_set_worker_again_and_again(
    option: tuple[str, ...],
) -> None:
    done = end_of(*UVICORN, *option, PORT="abc")
    assert PROBLEM in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_the_module_reads_no_setting() -> None:
    done = end_of(sys.executable, "-c", "import app; app.create_app", PORT="abc")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_application_is_made_once() -> None:
    done = end_of(sys.executable, "-c", "import app; assert app.app is app.app; app.nothing")
    assert done.stderr.splitlines()[-1] == "AttributeError: module 'app' has no attribute 'nothing'"


def test_two_applications_in_one_process_do_not_share_settings() -> None:
    one = create_app(Settings(max_message_bytes=1))
    other = create_app(Settings(max_message_bytes=2))
    assert one.state.draining is not other.state.draining
    assert one.openapi() != other.openapi()


def test_run_as_a_program_it_listens_on_port_with_as_many_workers_as_it_is_told() -> None:
    port = free_port()
    command = (*APP, "--workers", "2")
    with served(command, PORT=str(port), WEB_CONCURRENCY="5") as server:
        assert server.port == port

        def started() -> int:
            return sum(line["message"].startswith("Started server") for line in server.log)

        wait_for(lambda: started() >= 2, "two workers")
        assert httpx.get(f"{server.url}/healthz", trust_env=False).status_code == 200
        server.stop()
        assert server.ended() == 0
        assert started() == 2
        assert len(server.log) == len(server.lines)


def test_a_wrong_number_of_workers_is_refused_by_name() -> None:
    done = end_of(*APP, "--workers", "0")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(
        "argument --workers: must be a whole number of at least 1, got '0'"
    )
    assert "Traceback" not in done.stderr
