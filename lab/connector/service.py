"""Answers what comes down the tunnel: by the configuration, from the services behind it."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import h11

from lab.connector.ingress import Ingress, Rule
from lab.connector.log import Log
from lab.connector.origin import OriginError, Origins
from lab.connector.peer import Peer
from lab.connector.relay import header

BY_CONNECTOR = (b"Cf-Cloudflared-Response-Meta", b'{"src":"cloudflared"}')
"""On responses that no service gave; the edge puts words of its own in their place."""
_BEYOND = "this stand-in cannot serve it, only Cloudflare's own program can"


@dataclass
class Figures:
    """What was done since the start."""

    total: int = 0
    errors: int = 0
    by_code: Counter[int] = field(default_factory=Counter)


class Service:
    """The connector's end of every request."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._ingress = Ingress()
        self._origins = Origins()
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.config: dict[str, Any] = {}
        self.version = -1
        self.figures = Figures()

    @property
    def active(self) -> int:
        """How many requests are being answered now."""
        return self._active

    def configure(self, config: dict[str, Any], version: int) -> None:
        """Follow another configuration from the next request on; a bad one changes nothing."""
        try:
            self._ingress = Ingress.of(config)
        except ValueError as error:
            self._log.error("Failed to update configuration", error=error, version=version)
            return
        for number, rule in enumerate(self._ingress.rules):
            if rule.is_beyond:
                self._log.warn(f"rule {number}: {rule.service}: {_BEYOND}")
        self.config, self.version = config, version
        self._log.info("Updated to new configuration", config=json.dumps(config), version=version)

    async def answer(self, front: Peer, request: h11.Request) -> None:
        """One request of the edge's."""
        self._active += 1
        self._idle.clear()
        self.figures.total += 1
        try:
            if front.http.they_are_waiting_for_100_continue:
                await front.send(h11.InformationalResponse(status_code=100, headers=[]))
            await self._answer(front, request)
        finally:
            self._active -= 1
            if not self._active:
                self._idle.set()

    async def _answer(self, front: Peer, request: h11.Request) -> None:
        host = header(request, b"host").decode("latin-1").partition(":")[0].lower().rstrip(".")
        path = unquote(request.target.decode("latin-1").partition("?")[0])
        number, rule = self._ingress.find(host, path)
        if rule.is_beyond:
            await self._fail(front, number, rule, _BEYOND)
            return
        if rule.status is not None:
            await front.answer(rule.status, "")
            self.figures.by_code[rule.status] += 1
            return
        try:
            self.figures.by_code[await self._origins.ask(front, request, rule)] += 1
        except OriginError as error:
            await self._fail(front, number, rule, str(error))

    async def _fail(self, front: Peer, number: int, rule: Rule, why: str) -> None:
        self.figures.errors += 1
        self._log.error(
            "",
            error=f"Unable to reach the origin service: {why}",
            event=1,
            ingressRule=number,
            originService=rule.service,
        )
        await front.answer(502, "", [BY_CONNECTOR])

    async def until_idle(self, limit_s: float) -> bool:
        """Wait until nothing is being answered; False when that took too long."""
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Close the connections to services."""
        self._origins.close()
