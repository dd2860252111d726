"""Refusals, as the API words them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class ApiError(Exception):
    """A refusal: HTTP status, Cloudflare's own code and message, and what lies beneath."""

    status: int
    code: int
    message: str
    chain: tuple[tuple[int, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    note: str | None = None

    def answer(self) -> dict[str, Any]:
        """The body."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.chain:
            error["error_chain"] = [{"code": c, "message": m} for c, m in self.chain]
        notes = [] if self.note is None else [{"code": self.code, "message": self.note}]
        return {"success": False, "errors": [error], "messages": notes, "result": None}


def not_allowed() -> ApiError:
    """The token has no right to this, or the account or zone is not one that it may know of."""
    return ApiError(403, 10000, "Authentication error")


def bad_request(text: str) -> ApiError:
    """A body that the lab cannot read; Cloudflare's own code for it differs from call to call."""
    return ApiError(400, 1001, f"Bad Request: {text}")
