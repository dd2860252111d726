"""Errors as clients see them: JSON with a `detail` and the request's id, whatever went wrong."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.journal import request_id

logger = logging.getLogger("app.errors")

INVALID = 422


class Problem(BaseModel):
    """An error: what is wrong, and the id to find the request by in the log."""

    detail: str
    request_id: str = Field(description="Also in the X-Request-Id header and the service's log")


class InvalidField(BaseModel):
    """Where a request body is wrong, and why."""

    loc: list[str | int]
    msg: str
    type: str


class InvalidRequest(BaseModel):
    """A body that does not fit: every place where it does not."""

    detail: list[InvalidField]
    request_id: str


def problem_response(
    status: int, detail: object, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The error response of this service for the request that is being handled."""
    content = {"detail": detail, "request_id": request_id.get()}
    return JSONResponse(content, status, dict(headers) if headers else None)


async def http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem_response(error.status_code, error.detail, error.headers)


async def validation_error(_request: Request, error: Exception) -> JSONResponse:
    """The input is not repeated: it is the client's own, and may not be valid JSON or Unicode."""
    assert isinstance(error, RequestValidationError)
    fields = [{key: found[key] for key in InvalidField.model_fields} for found in error.errors()]
    return problem_response(INVALID, fields)


class ErrorBoundary:
    """Turns an unexpected exception into a logged traceback and a plain 500.

    Starlette's own boundary is outside of all other layers: its answer would have neither the
    request's id nor the CORS headers, and a front end could not read it. A WebSocket that is not
    accepted gets an answer here, too, since the server's own would have no id either.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            refused = message["type"] == "websocket.close" and not started
            started = True
            if refused and "websocket.http.response" in scope.get("extensions", {}):
                await problem_response(403, "No WebSocket here.")(scope, receive, send)
            else:
                await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            logger.exception("unexpected error")
            await problem_response(500, "Internal server error.")(scope, receive, send)


def install(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)


def described(problems: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for the OpenAPI page, from descriptions by status."""
    return {
        status: {"model": InvalidRequest if status == INVALID else Problem, "description": text}
        for status, text in problems.items()
    }
