"""A chat service that streams its answer. Servers load `app:app`, programs call `create_app`.

Importing reads nothing: `app` is made from the environment when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from app.factory import create_app
from app.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    app: FastAPI

__all__ = ["Settings", "create_app"]


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from app.serving import app_from_environment  # noqa: PLC0415 - only servers need it

    made = app_from_environment()
    globals()["app"] = made
    return made
