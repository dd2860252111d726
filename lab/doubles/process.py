"""The life of a plugin's process: it serves one engine, and is gone when that engine is.

Import this before anything slow: until `begin` ran, Ctrl-C would show a traceback.
"""

import asyncio
import gc
import os
import signal
import sys

_LOOK_EVERY_S = 1.0


def begin() -> None:
    """Before gRPC is imported: end on SIGINT and SIGTERM at once and in silence, as Go programs do.

    What a plugin writes on stderr the engine shows to the user: gRPC's own log is silenced. Nothing
    is collected before `announce`, since nothing is garbage: that takes a seventh off the start.
    """
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def announce(port: int) -> None:
    """Tell the engine where to connect: the port, on a line of its own, first on stdout."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    gc.enable()


async def end_with_parent(parent: int) -> None:
    """End this process within a second of `parent`'s end, however that came about.

    The SDK's own watch looks every five minutes: after a SIGKILL of the engine, plugins stay.
    """
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells of a parent's end
        await asyncio.sleep(_LOOK_EVERY_S)
    os._exit(0)
