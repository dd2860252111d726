"""The life of a plugin's process: it serves one engine, and is gone when that engine is.

Import this before anything slow: until `end_with_signals` ran, Ctrl-C would show a traceback.
"""

import asyncio
import os
import signal
import sys

_LOOK_EVERY_S = 1.0


def end_with_signals() -> None:
    """SIGINT and SIGTERM end the process at once and in silence, as they end a Go program."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def announce(port: int) -> None:
    """Tell the engine where to connect: the port, on a line of its own, first on stdout."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


async def end_with_parent(parent: int) -> None:
    """End this process within a second of `parent`'s end, however that came about.

    The SDK's own watch looks every five minutes: after a SIGKILL of the engine, plugins stay.
    """
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells of a parent's end
        await asyncio.sleep(_LOOK_EVERY_S)
    os._exit(0)
