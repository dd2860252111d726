"""What a server process does once: read the environment, set up the log, make the application."""

import multiprocessing
import os
import signal
import sys

from fastapi import FastAPI

from app.factory import create_app
from app.journal import set_up
from app.settings import Settings, settings_from_environment


def app_from_environment() -> FastAPI:
    """Ends the process with one line for each wrong setting, and no traceback."""
    settings = settings_or_stop()
    set_up(settings.log_level)
    return create_app(settings)


def settings_or_stop() -> Settings:
    """`uvicorn --workers` would start a worker that cannot start again and again: stop it too."""
    try:
        return settings_from_environment()
    except SystemExit:
        if is_worker_of_uvicorn():
            os.kill(os.getppid(), signal.SIGTERM)
        raise


def is_worker_of_uvicorn() -> bool:
    """A worker has the command line of its supervisor."""
    if multiprocessing.parent_process() is None:
        return False
    command = sys.argv[0].removesuffix("/__main__.py")
    return command.rpartition("/")[2] == "uvicorn"
