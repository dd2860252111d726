"""The pages for people: the chat at `/`, the API's description at `/docs`, their plain files."""

import os
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
REVALIDATED = {"Cache-Control": "no-cache"}  # a deploy must not leave a stale page in browsers


class RevalidatedFiles(StaticFiles):
    """Files that browsers may keep, but must ask about each time (ETag)."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(REVALIDATED)
        return response


def add_pages(app: FastAPI) -> None:
    def add_page(path: str, file: str) -> None:
        async def page() -> Response:
            return FileResponse(STATIC / file, headers=REVALIDATED)

        app.add_api_route(
            path, page, methods=["GET", "HEAD"], name=file, include_in_schema=False
        )

    add_page("/", "chat.html")
    add_page("/docs", "docs.html")
    app.mount("/static", RevalidatedFiles(directory=STATIC), name="static")
