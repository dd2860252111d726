"""Serves with a new certificate as soon as it lies in the place of the old one.

Loaded by the launcher, beside which it lies, in the Python of the service.
"""

import asyncio
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOOK_S = 2.0


def begin(config: Any) -> asyncio.Task[None]:  # noqa: ANN401 (uvicorn is the service's own)
    """Follow the certificate of a server that has one; keep the task."""
    work = follow(config.ssl, str(config.ssl_certfile), str(config.ssl_keyfile))
    return asyncio.get_running_loop().create_task(work)


async def follow(context: ssl.SSLContext, *paths: str) -> None:
    """Read certificate and key again whenever they change; those that do not fit are left out.

    Connections that stand go on with the old ones.
    """
    known = _stamps(paths)
    while True:
        await asyncio.sleep(LOOK_S)
        now = _stamps(paths)
        if now == known:
            continue
        known = now
        try:
            # Elsewhere first: a context keeps the half that it took of two that do not fit.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*paths)
            context.load_cert_chain(*paths)
        except (OSError, ValueError) as error:
            print(f"certificate: cannot be used yet, the old one stays ({error})", file=sys.stderr)
        else:
            print(f"certificate: {paths[0]} was read again", file=sys.stderr, flush=True)


def _stamps(paths: Sequence[str]) -> list[tuple[int, int]]:
    found = []
    for path in paths:
        try:
            status = Path(path).stat()
        except OSError:
            found.append((0, 0))
        else:
            found.append((status.st_mtime_ns, status.st_ino))
    return found
