"""Health: whether the service lives, and whether it wants new requests."""

from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from app.draining import Draining

FRESH = {"Cache-Control": "no-store"}


class Health(BaseModel):
    """Answered with 200 while ready, with 503 while draining."""

    status: str = Field(description="`healthy` or `draining`", examples=["healthy"])
    live: bool = Field(description="True whenever there is an answer at all")
    ready: bool = Field(description="False from the moment the service is told to stop")


def add_health(app: FastAPI, draining: Draining) -> None:
    """`GET` and `HEAD` on `/healthz`, and the same on `/health`."""
    ready = JSONResponse(Health(status="healthy", live=True, ready=True).model_dump())
    not_ready = JSONResponse(Health(status="draining", live=True, ready=False).model_dump())

    async def health() -> Response:
        known = not_ready if draining.begun else ready
        return Response(
            known.body, 503 if draining.begun else 200, FRESH, media_type="application/json"
        )

    for path in ("/healthz", "/health"):
        app.add_api_route(
            path,
            health,
            methods=["GET"],
            name=path.removeprefix("/"),
            summary="Liveness and readiness",
            response_model=Health,
            responses={503: {"model": Health, "description": "Draining: live, but not ready"}},
        )
        app.add_api_route(path, health, methods=["HEAD"], include_in_schema=False)
