"""The chat: takes a message, streams an answer chunk by chunk as plain text."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, StringConstraints

from app.errors import described
from app.settings import Settings

PLACEHOLDER_TEXT = (
    "This is a placeholder response from the backend. Your message was received and the "
    "streaming is working. Replace this with real AI output when ready."
)

# Kept from caches, and from proxies that collect or recode an answer before they pass it on.
UNBUFFERED = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


class ChatRequest(BaseModel):
    """What a client says."""

    message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        description="The message; more than white space", examples=["hello"]
    )


def chunks(text: str) -> list[str]:
    """The words of a text, each with the white space after it; together they are the text."""
    return re.findall(r"\S+\s*", text)


async def spread(parts: list[str], delay_s: float) -> AsyncIterator[str]:
    """The parts with a delay between each two of them."""
    for position, part in enumerate(parts):
        if position:
            await asyncio.sleep(delay_s)
        yield part


def add_chat(app: FastAPI, settings: Settings) -> None:
    """`POST /api/chat`."""
    parts = chunks(PLACEHOLDER_TEXT)
    delay_s = settings.delay_ms / 1000

    @app.post(
        "/api/chat",
        summary="Stream an answer to a message",
        response_class=StreamingResponse,
        response_description="The answer as chunked plain text, each part sent when it is there",
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            **described(
                {
                    400: "The body is not readable as JSON",
                    413: f"The body is larger than {settings.max_message_bytes} bytes",
                    422: "The body does not fit: no message in it, or a blank one",
                    500: "An unexpected error; the log has it under the request's id",
                    503: "The service stopped before it could answer",
                }
            ),
        },
    )
    async def chat(_said: ChatRequest) -> StreamingResponse:
        return StreamingResponse(
            spread(parts, delay_s), media_type="text/plain", headers=UNBUFFERED
        )
