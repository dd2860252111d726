"""Asks two addresses of one service: how long each takes, at a rate, and as fast as they can.

`python -m bench.rate DIRECT PUBLIC`, inside the lab; prints one JSON object. Times in ms.
"""

import asyncio
import json
import ssl
import sys
import time
from dataclasses import dataclass, field
from statistics import median

import aiohttp

_ROUNDS = 400
_RATE = 200
_RATE_S = 30
_WORKERS = 32
_SATURATED_S = 8


@dataclass
class Seen:
    """What came of many requests."""

    took_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


async def ask(session: aiohttp.ClientSession, url: str, seen: Seen) -> None:
    """One request, whole."""
    began = time.perf_counter()
    try:
        async with session.get(url) as answer:
            await answer.read()
            if answer.status != 200:
                seen.errors.append(str(answer.status))
    except (aiohttp.ClientError, TimeoutError) as error:
        seen.errors.append(repr(error))
    seen.took_ms.append((time.perf_counter() - began) * 1000)


async def compare(session: aiohttp.ClientSession, direct: str, public: str) -> dict[str, float]:
    """In turn, one at a time."""
    near, far = Seen(), Seen()
    for _ in range(_ROUNDS):
        await ask(session, direct, near)
        await ask(session, public, far)
        _expect_none(near.errors + far.errors)
    return {"direct_ms": median(near.took_ms), "public_ms": median(far.took_ms)}


async def at_rate(session: aiohttp.ClientSession, url: str) -> dict[str, object]:
    """So many a second, each sent when its time has come, whether others are answered or not."""
    seen, loop = Seen(), asyncio.get_running_loop()
    began = loop.time()
    asking = []
    for number in range(_RATE * _RATE_S):
        await asyncio.sleep(began + number / _RATE - loop.time())
        asking.append(asyncio.create_task(ask(session, url, seen)))
    await asyncio.gather(*asking)
    times = sorted(seen.took_ms)
    return {
        "requests": len(times),
        "errors": len(seen.errors),
        "first_error": seen.errors[0] if seen.errors else "",
        "median_ms": median(times),
        "p99_ms": times[int(len(times) * 0.99)],
        "took_s": loop.time() - began,
    }


async def saturated(session: aiohttp.ClientSession, url: str) -> float:
    """Requests a second with some always on their way."""
    seen, loop = Seen(), asyncio.get_running_loop()
    end = loop.time() + _SATURATED_S

    async def work() -> None:
        while loop.time() < end:
            await ask(session, url, seen)

    await asyncio.gather(*(work() for _ in range(_WORKERS)))
    _expect_none(seen.errors)
    return len(seen.took_ms) / _SATURATED_S


async def measure(direct: str, public: str) -> dict[str, object]:
    """All of it. The service's own certificate is nobody's, and the edge's is not at issue."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    connector = aiohttp.TCPConnector(ssl=trusting, limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        return {
            **await compare(session, direct, public),
            "at_rate": await at_rate(session, public),
            "saturated_direct": await saturated(session, direct),
            "saturated_public": await saturated(session, public),
        }


def _expect_none(errors: list[str]) -> None:
    if errors:
        raise SystemExit(f"{len(errors)} requests failed, the first with {errors[0]}")


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(*sys.argv[1:]))))
