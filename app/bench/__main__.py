"""The figures of the service, measured on this machine: `make bench` prints them as a table."""

import asyncio
import platform
import statistics
import sys
from dataclasses import dataclass

import uvloop

from bench.load import requests_per_second
from tests.server import UVICORN, Server, served
from tests.test_size_guard import HEAD, MEBIBYTE, push
from tests.test_streams import ask

STREAMS = 500
CONNECTIONS = 16
ROUNDS, ROUND_S = 5, 2.0
BARE = tuple("bench.bare:app" if part == "app:app" else part for part in UVICORN)


@dataclass
class Figure:
    """One line of the table, and whether it is as good as it must be."""

    what: str
    value: str
    goal: str
    met: bool


def rate_against_a_bare_route() -> list[Figure]:
    """In turns, so that whatever else the machine does meets both alike."""
    with served(BARE) as bare, served() as service:
        rates: dict[str, list[float]] = {"bare": [], "service": []}
        for _ in range(ROUNDS):
            for name, server in (("bare", bare), ("service", service)):
                measuring = requests_per_second(server.port, "/healthz", CONNECTIONS, ROUND_S)
                rates[name].append(uvloop.run(measuring))
        one_line_each(service)
    pairs = zip(rates["service"], rates["bare"], strict=True)
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    bare_rate, rate = (statistics.median(rates[name]) for name in ("bare", "service"))
    return [
        Figure(
            "bare Starlette route, uvicorn's access log on", f"{bare_rate:,.0f}/s", "", met=True
        ),
        Figure("`GET /healthz` of the service", f"{rate:,.0f}/s", "", met=True),
        Figure(
            "... as a share of the bare route", f"{ratio:.2f}", "at least 0.50", met=ratio >= 0.5
        ),
    ]


def one_line_each(service: Server) -> None:
    """A figure without the log would be no figure."""
    health = [line for line in service.log if line.get("path") == "/healthz"]
    if len(health) < 1000 or len({line["request_id"] for line in health}) != len(health):
        raise RuntimeError("the service has not logged a line with an id for each request")


def many_streams() -> list[Figure]:
    async def ask_all(server: Server) -> tuple[int, int]:
        asking = [asyncio.create_task(ask(server.port)) for _ in range(STREAMS)]
        await asyncio.sleep(3)
        memory = server.memory_kib("VmRSS")
        answers = await asyncio.gather(*asking, return_exceptions=True)
        return memory, sum(isinstance(answer, BaseException) for answer in answers)

    with served(DELAY_MS="250") as server:
        asyncio.run(ask(server.port))
        before = server.memory_kib("VmRSS")
        during, failed = asyncio.run(ask_all(server))
    each = (during - before) / STREAMS
    return [
        Figure(
            f"failed of {STREAMS} streams at once, one worker", str(failed), "0", met=not failed
        ),
        Figure("memory of each open stream", f"{each:.0f} KiB", "", met=True),
    ]


def memory_under_a_flood() -> list[Figure]:
    with served() as server:
        asyncio.run(ask(server.port))
        before = server.memory_kib("VmRSS")
        with server.connect() as connection:
            connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            sent = push(connection, 100 * MEBIBYTE)
        grown = (server.memory_kib("VmHWM") - before) / 1024
    return [
        Figure(
            "memory grown while 100 MB are pushed at the size guard",
            f"{grown:.1f} MiB",
            "below 16 MiB",
            met=grown < 16,
        ),
        Figure("... of which the client got rid of", f"{sent / MEBIBYTE:.1f} MiB", "", met=True),
    ]


def main() -> None:
    figures = [*rate_against_a_bare_route(), *many_streams(), *memory_under_a_flood()]
    print(f"Python {platform.python_version()}, {platform.machine()}, one worker\n")
    print("| what | measured | goal |\n| --- | ---: | --- |")
    for figure in figures:
        print(f"| {figure.what} | {figure.value} | {figure.goal} |")
    missed = [figure.what for figure in figures if not figure.met]
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
