"""Refusals, as the API words them."""


class ApiError(Exception):
    """A refusal: HTTP status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def not_enough_permissions() -> ApiError:
    return ApiError(403, "calling actor does not have enough permissions to perform this function")


def tags_not_permitted(tags: list[str]) -> ApiError:
    return ApiError(400, f"requested tags [{' '.join(tags)}] are invalid or not permitted")
