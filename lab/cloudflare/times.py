"""Times as the API writes them."""

from datetime import UTC, datetime


def now() -> str:
    """The time now, RFC 3339 with microseconds, in UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
