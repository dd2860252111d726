"""Where connectors come in: who they are, what they are told, and how long they are there."""

import asyncio
import contextlib
import logging
import uuid

from lab.cloudflare.tunnels import Connection, Tunnels
from lab.connector.session import PING_S, PROTOCOL, Json, hear, say
from lab.connector.wire import Wire
from lab.edge.replicas import Replica, Replicas

_HELLO_WITHIN_S = 10
_logger = logging.getLogger("lab.edge")


class Door:
    """Takes connections of connectors; `replicas` are those that are in."""

    def __init__(self, tunnels: Tunnels, replicas: Replicas) -> None:
        self._tunnels = tunnels
        self._replicas = replicas
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsubscribe = tunnels.subscribe(self._changed)

    def accept(self, wire: Wire) -> None:
        """A connection that was just made."""
        task = asyncio.create_task(self._enter(wire))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Send every connector away."""
        self._unsubscribe()
        for replica in self._replicas.all():
            replica.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _enter(self, wire: Wire) -> None:
        try:
            async with asyncio.timeout(_HELLO_WITHIN_S):
                hello = await hear(wire)
            if hello.get("protocol") != PROTOCOL:
                await self._refuse(wire, "this edge only speaks to the lab's own connectors")
            elif hello.get("kind") == "line":
                self._line(wire, str(hello.get("key")))
            else:
                await self._control(wire, hello)
        except (ConnectionError, TimeoutError) as error:
            _logger.info("edge: a connector's connection ended: %s", error or "silence")
            wire.abort()
        except asyncio.CancelledError:
            wire.abort()
            raise

    def _line(self, wire: Wire, key: str) -> None:
        replica = self._replicas.by_key(key)
        if replica is None or replica.draining:
            wire.abort()
        else:
            replica.arrived(wire)

    async def _control(self, wire: Wire, hello: Json) -> None:
        token = hello.get("token")
        tunnel = self._tunnels.by_token(token) if isinstance(token, str) else None
        if tunnel is None:
            _logger.info("edge: a connector was refused: no tunnel has such a token")
            await self._refuse(wire, "Unauthorized: Invalid tunnel secret, or no such tunnel")
            return
        connection = Connection(
            id=str(uuid.uuid4()),
            client_id=str(hello.get("connector")),
            client_version=str(hello.get("version")),
            origin_ip=wire.peer_address(),
            arch=str(hello.get("arch")),
        )
        replica = Replica(tunnel, connection, wire)
        self._tunnels.connected(tunnel, connection)
        self._replicas.add(replica)
        pinging = asyncio.create_task(_ping(replica))
        _logger.info("edge: tunnel %s: connector %s came", tunnel, connection.client_id)
        try:
            await say(
                wire,
                {"key": replica.key, "connection": connection.id, "location": connection.colo_name},
            )
            self._configure(replica)
            replica.start()
            await self._listen(replica, wire)
        finally:
            pinging.cancel()
            self._replicas.remove(replica)
            replica.close()
            self._tunnels.disconnected(tunnel, connection.id)
            _logger.info("edge: tunnel %s: connector %s left", tunnel, connection.client_id)

    async def _listen(self, replica: Replica, wire: Wire) -> None:
        while True:
            async with asyncio.timeout(3 * PING_S):
                message = await hear(wire)
            if "draining" in message:
                replica.drain()
                replica.tell({"drained": True})
            if "failed" in message:
                replica.failed(int(message["failed"]))

    async def _refuse(self, wire: Wire, reason: str) -> None:
        await say(wire, {"error": reason})
        wire.close()

    def _changed(self, tunnel: str) -> None:
        there = {c.id for c in self._tunnels.connections(tunnel)}
        for replica in self._replicas.of(tunnel):
            if not self._tunnels.exists(tunnel) or replica.connection.id not in there:
                replica.close()
            else:
                self._configure(replica)

    def _configure(self, replica: Replica) -> None:
        now = self._tunnels.configuration(replica.tunnel)
        replica.tell({"config": now.config, "version": now.version})


async def _ping(replica: Replica) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await asyncio.sleep(PING_S)
            replica.tell({"ping": 1})
