"""`cloudflared tunnel run`: connects, connects again, and ends in order."""

import asyncio
import contextlib
import os
import platform
import random
import signal
import socket
import ssl
import uuid
from itertools import cycle
from pathlib import Path

from lab.connector.log import Log
from lab.connector.options import ABOUT, EDGE_PORT, VERSION, Options
from lab.connector.probes import Probes
from lab.connector.service import Service
from lab.connector.session import Edge, Json, Refused, Session

_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 4.0
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Program:
    """One connector, from its start to its end."""

    def __init__(self, options: Options, log: Log) -> None:
        self._options = options
        self._log = log
        self._id = str(uuid.uuid4())
        self._service = Service(log)
        self._probes = Probes(self._id, self._service, lambda: int(self._registered))
        self._registered = False
        self._session: Session | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> int:
        """The exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        self._log.warn(f"{ABOUT}: for the lab only")
        if ignored := self._options.ignored:
            flags = ", ".join(f"--{name}" for name in ignored)
            self._log.warn(f"{flags}: taken and ignored by this stand-in")
        self._log.info("Starting tunnel", tunnelID=self._options.tunnel_id)
        self._log.info(f"Generated Connector ID: {self._id}")
        try:
            place = await self._probes.start(self._options.metrics)
        except (OSError, ValueError) as error:
            self._log.error(f"Error opening metrics server listener: {error}")
            return 1
        self._log.info(f"Starting metrics server on {place}/metrics")
        try:
            return await self._serve()
        finally:
            self._service.close()
            await self._probes.close()

    async def _serve(self) -> int:
        connecting = asyncio.create_task(self._stay_connected())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if connecting.done():
            return connecting.result()
        _notify("STOPPING=1")
        await self._drain()
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        self._log.info("Tunnel server stopped")
        return 0

    def _stop(self, number: int) -> None:
        if self._stopping.is_set():
            # Asked twice: whoever asks does not want to wait.
            os._exit(1)
        self._log.info(
            f"Initiating graceful shutdown due to signal {signal.Signals(number).name.lower()} ..."
        )
        self._stopping.set()

    async def _drain(self) -> None:
        self._registered = False
        if self._session is None:
            return
        await self._session.drain()
        if not await self._service.until_idle(self._options.grace_period_s):
            self._log.warn(
                "Requests in flight are cut off: the grace period is over",
                requests=self._service.active,
            )
        await self._session.close()

    async def _stay_connected(self) -> int:
        """Ends, with the exit code, only when the edge keeps refusing."""
        hello: Json = {
            "token": self._options.token,
            "connector": self._id,
            "version": VERSION,
            "arch": f"linux_{_ARCHITECTURES.get(platform.machine(), platform.machine())}",
        }
        try:
            context = ssl.create_default_context(cafile=self._options.cacert or None)
        except OSError as error:
            self._log.error(f"--cacert {self._options.cacert}: {error}")
            return 1
        refused, wait_s = 0, _FIRST_WAIT_S
        for place in cycle(self._options.edge):
            host, _, port = place.partition(":")
            edge = Edge(host, int(port or EDGE_PORT), context)
            self._session = session = Session(edge, self._service, self._log, hello)
            try:
                await session.run(self._on_registered)
            except Refused as error:
                refused += 1
                self._log.error("Register tunnel error from server side", error=error)
                if refused > self._options.retries:
                    self._log.error("Giving up: the edge keeps refusing this connector")
                    return 1
            except (OSError, TimeoutError) as error:
                was_there = self._registered
                text = "Lost connection with the edge" if was_there else "Unable to connect"
                self._log.error(text, error=error or "no answer", edge=place)
                if was_there:
                    refused, wait_s = 0, _FIRST_WAIT_S
            finally:
                self._registered = False
                await session.close()
            if self._stopping.is_set():
                return 0
            pause_s = wait_s * random.uniform(0.5, 1)  # noqa: S311 - spreads retries, hides nothing
            self._log.info(f"Retrying connection in {pause_s:.1f}s")
            await asyncio.sleep(pause_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        return 0

    def _on_registered(self, welcome: Json) -> None:
        self._registered = True
        self._log.info(
            "Registered tunnel connection",
            connIndex=0,
            connection=welcome.get("connection", ""),
            location=welcome.get("location", ""),
            protocol="berth-lab",
        )
        if self._options.pidfile:
            Path(self._options.pidfile).write_text(str(os.getpid()), encoding="utf-8")
        _notify("READY=1")


def _notify(state: str) -> None:
    """Tell systemd, where it wants to be told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unit, contextlib.suppress(OSError):
        unit.connect(address)
        unit.send(state.encode())
