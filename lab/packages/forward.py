"""Fetches what a guest asks for by HTTP, from allowed hosts only, and keeps what never changes."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from lab.packages.cache import Download, FileCache
from lab.packages.immutable import never_changes

log = logging.getLogger(__name__)

_CHUNK = 256 * 1024
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_CONDITIONS = ("Range", "If-Range", "If-None-Match", "If-Modified-Since", "Authorization")
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=120)


@dataclass
class Counters:
    """What the gateway did since it started."""

    fetched: int = 0
    from_cache: int = 0
    passed_through: int = 0
    refused: int = 0
    failed: int = 0


def proxy_for(host: str, scheme: str) -> str | None:
    """The proxy that this machine's environment names for `host`."""
    if proxy_bypass(host):
        return None
    return getproxies().get(scheme)


class Forwarder:
    """The handler behind both ports; `hosts` are the names it fetches from."""

    def __init__(self, hosts: frozenset[str], cache: FileCache, counters: Counters) -> None:
        self._hosts = hosts
        self._cache = cache
        self._counters = counters
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request of a guest."""
        host = request.host.partition(":")[0].lower()
        if host not in self._hosts:
            return self._refused(
                403,
                f"{request.host}: this lab's gateway fetches only from the hosts that this "
                "machine's own package clients are configured to use",
            )
        if request.method not in {"GET", "HEAD"}:
            return self._refused(405, f"{request.method}: this lab's gateway only fetches packages")
        address = URL.build(
            scheme=request.scheme,
            host=host,
            path=request.rel_url.raw_path,
            query_string=request.rel_url.raw_query_string,
            encoded=True,
        )
        if (kept := self._cache.find(str(address))) is not None:
            self._counters.from_cache += 1
            headers = {"Content-Type": "application/octet-stream"}
            return web.FileResponse(kept, headers=headers)
        try:
            upstream = await self._ask(request, address)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._counters.failed += 1
            log.warning("packages: %s: %s", address.with_query(None), error)
            return web.Response(status=502, text=f"{host}: could not be reached: {error}\n")
        async with upstream:
            self._counters.fetched += 1
            return await self._answer(request, address, upstream)

    def _refused(self, status: int, text: str) -> web.Response:
        self._counters.refused += 1
        log.info("packages: refused: %s", text)
        answer = web.Response(status=status, text=f"{text}\n")
        answer.force_close()
        return answer

    async def _ask(self, request: web.BaseRequest, address: URL) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=ssl.create_default_context()),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
                timeout=_TIMEOUT,
            )
        headers = _end_to_end(request.headers)
        headers.popall("Host", None)
        return await self._session.request(
            request.method,
            address,
            headers=headers,
            allow_redirects=False,
            proxy=proxy_for(address.host or "", address.scheme),
        )

    async def _answer(
        self, request: web.BaseRequest, address: URL, upstream: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            status=upstream.status, reason=upstream.reason, headers=_end_to_end(upstream.headers)
        )
        download = None
        if self._may_keep(request, address, upstream):
            download = self._cache.begin(str(address))
        await response.prepare(request)
        last = b""
        try:
            async for data in self._body(request, upstream):
                if last:
                    await response.write(last)
                last = data
                if download is not None:
                    download = _written(download, data)
            # Kept before the guest has all of it: whoever asks next finds it.
            if download is not None:
                await _finish(download)
        finally:
            if download is not None:
                download.discard()
        await response.write_eof(last)
        return response

    def _may_keep(
        self, request: web.BaseRequest, address: URL, upstream: aiohttp.ClientResponse
    ) -> bool:
        return (
            request.method == "GET"
            and upstream.status == 200
            and upstream.headers.get("Content-Encoding", "identity") == "identity"
            and not any(name in request.headers for name in _CONDITIONS)
            and never_changes(address.raw_path, upstream.headers.get("Cache-Control"))
        )

    async def _body(
        self, request: web.BaseRequest, upstream: aiohttp.ClientResponse
    ) -> AsyncIterator[bytes]:
        try:
            async for data in upstream.content.iter_chunked(_CHUNK):
                yield data
        except (aiohttp.ClientError, TimeoutError) as error:
            self._counters.failed += 1
            log.warning("packages: %s: cut off: %s", upstream.url.with_query(None), error)
            # The guest must see a broken connection, not the end of a file.
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError(f"cut off upstream: {error}") from error


def _written(download: Download, data: bytes) -> Download | None:
    """The guest gets its file also where the cache's disk is full."""
    try:
        download.write(data)
    except OSError as error:
        log.warning("packages: not kept: %s", error)
        download.discard()
        return None
    return download


async def _finish(download: Download) -> None:
    try:
        await asyncio.to_thread(download.finish)
    except OSError as error:
        log.warning("packages: not kept: %s", error)


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    listed = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in _HOP_BY_HOP | listed:
            kept.add(name, value)
    return kept
