"""Downloads over HTTP: the lab's stand-in for the wget of a node."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiohttp

from lab.guests import Log
from lab.proxmox.errors import TaskError, died

_CHUNK = 1 << 20
_QUIET_S = 60


@dataclass(frozen=True)
class UrlFacts:
    """What a server says about a file."""

    filename: str | None
    size: int | None
    mimetype: str | None


Connector = Callable[[], aiohttp.BaseConnector | None]


def no_connector() -> None:
    """Connections as this machine makes them."""


def _session(connector: aiohttp.BaseConnector | None) -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_QUIET_S, sock_read=_QUIET_S)
    return aiohttp.ClientSession(
        connector=connector, timeout=timeout, trust_env=connector is None, auto_decompress=False
    )


async def head_url(
    url: str,
    verify: bool,  # noqa: FBT001 - a hook's shape
    connector: Connector = no_connector,
) -> UrlFacts:
    """Name, size and type of the file at `url`; raises a 500 as Proxmox words it."""
    try:
        async with (
            _session(connector()) as session,
            session.head(url, allow_redirects=True, ssl=verify) as answer,
        ):
            if answer.status != 200:
                raise died(f"invalid server response: '{answer.status} {answer.reason}'")
            disposition = answer.content_disposition
            name = disposition.filename if disposition else None
            size = answer.headers.get("Content-Length")
            return UrlFacts(
                filename=name or unquote(urlsplit(url).path).rpartition("/")[2] or None,
                size=int(size) if size is not None else None,
                mimetype=answer.headers.get("Content-Type"),
            )
    except (aiohttp.ClientError, TimeoutError) as error:
        raise died(f"invalid server response: '500 {_reason(error)}'") from error


async def fetch_url(
    url: str,
    destination: Path,
    verify: bool,  # noqa: FBT001 - a hook's shape
    log: Log,
    connector: Connector = no_connector,
) -> None:
    """Write the file at `url` to `destination`; raises a TaskError when it cannot be had."""
    try:
        async with _session(connector()) as session, session.get(url, ssl=verify) as answer:
            if answer.status != 200:
                log(f"ERROR {answer.status}: {answer.reason}.")
                raise TaskError("download failed: exit code 8")
            received = 0
            with destination.open("wb") as file:
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    file.write(chunk)
                    received += len(chunk)
            log(f"{received} bytes received")
    except (aiohttp.ClientError, TimeoutError) as error:
        log(_reason(error))
        raise TaskError("download failed: exit code 4") from error


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error.strerror or type(error.os_error).__name__
        return f"Can't connect to {error.host}:{error.port} ({cause})"
    return str(error).replace("\n", " ") or type(error).__name__
