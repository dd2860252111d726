"""The pages for people: the chat at `/`, the API's description at `/docs`, their plain files."""

import os
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Cache-Control": "no-cache",  # ask each time: a deploy must not leave stale pages in browsers
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageFiles(StaticFiles):
    """The files that the pages load, with the headers of the pages."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        return response


def add_pages(app: FastAPI) -> None:
    def add_page(path: str, file: str) -> None:
        async def page() -> Response:
            return FileResponse(STATIC / file, headers=HEADERS)

        app.add_api_route(path, page, methods=["GET", "HEAD"], name=file, include_in_schema=False)

    add_page("/", "chat.html")
    add_page("/docs", "docs.html")
    app.mount("/static", PageFiles(directory=STATIC), name="static")
