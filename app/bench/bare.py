"""What the service is measured against: one Starlette route and nothing else."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def healthz(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "healthy", "live": True, "ready": True})


app = Starlette(routes=[Route("/healthz", healthz)])
