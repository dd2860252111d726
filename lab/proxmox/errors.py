"""How a call is refused: the HTTP status, the text and the fields that Proxmox would send."""

from collections.abc import Mapping


class ApiError(Exception):
    """An answer with a status of 400 or more; `message` carries no newline at its end."""

    def __init__(self, status: int, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = dict(errors) if errors is not None else None


class UnauthorizedError(ApiError):
    """A 401, which Proxmox delays and sends without a body."""

    def __init__(self, message: str, *, with_body: bool = False) -> None:
        super().__init__(401, message)
        self.with_body = with_body


def died(message: str) -> ApiError:
    """What a plain `die` of Proxmox becomes: a 500 whose reason is the text."""
    return ApiError(500, message)


def bad_parameters(errors: Mapping[str, str]) -> ApiError:
    """A 400 with the text for each parameter."""
    return ApiError(400, "Parameter verification failed.", errors)


def forbidden(detail: str | None = None) -> ApiError:
    """A 403; `detail` is the part in brackets."""
    suffix = f" ({detail})" if detail else ""
    return ApiError(403, f"Permission check failed{suffix}")


class TaskError(Exception):
    """A task failed; the text becomes its exit status."""
