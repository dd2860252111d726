"""Puts the service together. The table of contents of this program."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app import errors
from app.chat import add_chat
from app.draining import Draining
from app.health import add_health
from app.pages import add_pages
from app.request_log import RequestLog
from app.settings import Settings
from app.size_guard import SizeGuard


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings; `app.state.draining` tells it to get ready to stop."""
    draining = Draining(settings.drain_limit_s)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with draining.on_stop_signals():
            yield

    app = FastAPI(
        title="chat-backend",
        description="Streams an answer to a message.",
        version="1.0.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.draining = draining

    # The innermost first: each layer added lies around those before it.
    app.add_middleware(SizeGuard, max_bytes=settings.max_message_bytes)
    app.add_middleware(errors.ErrorBoundary)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Content-Type", "X-Request-Id"],
        expose_headers=["X-Request-Id"],
    )
    app.add_middleware(RequestLog, draining=draining)
    errors.install(app)

    add_health(app, draining)  # first: it is asked most, and routes are tried in order
    add_chat(app, settings)
    add_pages(app)
    return app
