"""How many requests a token may send."""

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable

from lab.cloudflare.errors import ApiError

_WINDOW_S = 300.0


class RateLimit:
    """At most `requests` of each token in any five minutes."""

    def __init__(self, requests: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._requests = requests
        self._clock = clock
        self._seen: defaultdict[str, deque[float]] = defaultdict(deque)

    def count(self, token: str) -> None:
        """Count a request of `token`; raises ApiError 429 where it is one too many."""
        now, seen = self._clock(), self._seen[token]
        while seen and seen[0] <= now - _WINDOW_S:
            seen.popleft()
        if len(seen) >= self._requests:
            wait = max(1, math.ceil(seen[0] + _WINDOW_S - now))
            raise ApiError(
                429,
                971,
                f"More than {self._requests} requests per 300 seconds reached. "
                "Please wait and consider throttling your request speed",
                headers={"Retry-After": str(wait)},
            )
        seen.append(now)
