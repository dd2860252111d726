"""The connectors that are connected, and the connections on which each of them takes requests."""

import asyncio
import secrets
from collections import Counter, deque

import h11

from lab.cloudflare.tunnels import Connection
from lab.connector.peer import Peer
from lab.connector.session import Json, say
from lab.connector.wire import Wire

_SPARE = 4
"""So many idle lines are wanted at any time: a request should not wait for a handshake."""
_MOST_IDLE = 64
_LINE_WITHIN_S = 10
_ATTEMPTS = 2
"""A line that was just closed says little about its connector: another one may do."""


class ReplicaLost(ConnectionError):  # noqa: N818 - what happened
    """The connector is gone, or opened no line in time; nothing of the request was sent."""


class Replica:
    """A connector that serves `tunnel`; `control` is its conversation with the edge."""

    def __init__(self, tunnel: str, connection: Connection, control: Wire) -> None:
        self.tunnel = tunnel
        self.connection = connection
        self.key = secrets.token_hex(16)
        self.draining = False
        self._control = control
        self._idle: list[Peer] = []
        self._busy: set[Peer] = set()
        self._waiting: deque[asyncio.Future[Peer]] = deque()
        self._dialling = 0
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def load(self) -> int:
        """How many requests are on it, or wait for it."""
        return len(self._busy) + len(self._waiting)

    async def take(self) -> Peer:
        """A line for one request, to be given back. ReplicaLost."""
        if self._control.lost:
            raise ReplicaLost("it is gone")
        if self._idle:
            peer = self._idle.pop()
            self._busy.add(peer)
            self._want()
            return peer
        line: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
        self._waiting.append(line)
        self._want()
        try:
            async with asyncio.timeout(_LINE_WITHIN_S):
                return await line
        except TimeoutError as error:
            raise ReplicaLost("it opened no connection in time") from error
        except asyncio.CancelledError:
            if line.done() and not line.cancelled() and line.exception() is None:
                self.give_back(line.result())
            raise
        finally:
            if line in self._waiting:
                self._waiting.remove(line)

    def give_back(self, peer: Peer) -> None:
        """After a request: to be used again, if that can be, else closed."""
        self._busy.discard(peer)
        if peer.reusable and not self.draining:
            peer.http.start_next_cycle()
            self._offer(peer)
        else:
            peer.wire.close()
            if self._waiting:
                self._want()

    def arrived(self, wire: Wire) -> None:
        """A line that the connector opened."""
        self._dialling = max(0, self._dialling - 1)
        peer = Peer(wire, h11.CLIENT)
        wire.on_lost = lambda: self._lost(peer)
        self._offer(peer)

    def failed(self, number: int) -> None:
        """So many lines could not be opened."""
        self._dialling = max(0, self._dialling - number)

    def start(self) -> None:
        """Have the first lines opened."""
        self._want()

    def drain(self) -> None:
        """Send it nothing new; what is on it may end."""
        self.draining = True
        self._break_off_waiting()
        for peer in self._idle:
            peer.wire.close()
        self._idle.clear()

    def tell(self, message: Json) -> None:
        """Send a message on the control connection, without waiting for it."""
        task = asyncio.create_task(self._tell(message))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def close(self) -> None:
        """End everything of it at once."""
        self.drain()
        self._control.abort()
        for peer in tuple(self._busy):
            peer.wire.abort()

    async def _tell(self, message: Json) -> None:
        try:
            await say(self._control, message)
        except ConnectionError:
            # Whoever listens to this connection sees its end, too.
            return

    def _offer(self, peer: Peer) -> None:
        while self._waiting:
            line = self._waiting.popleft()
            if not line.done():
                self._busy.add(peer)
                line.set_result(peer)
                return
        if len(self._idle) >= _MOST_IDLE or self.draining:
            peer.wire.close()
        else:
            self._idle.append(peer)

    def _want(self) -> None:
        missing = len(self._waiting) + _SPARE - len(self._idle) - self._dialling
        # Whoever has to wait is worth a whole handful; without that it is not worth a message.
        if missing >= (1 if self._waiting or not self._idle else _SPARE):
            self._dialling += missing
            self.tell({"dial": missing})

    def _lost(self, peer: Peer) -> None:
        if peer in self._idle:
            self._idle.remove(peer)

    def _break_off_waiting(self) -> None:
        while self._waiting:
            line = self._waiting.popleft()
            if not line.done():
                line.set_exception(ReplicaLost("it is going away"))


class Replicas:
    """All connectors of all tunnels."""

    def __init__(self) -> None:
        self._of_tunnel: dict[str, list[Replica]] = {}
        self._by_key: dict[str, Replica] = {}

    def add(self, replica: Replica) -> None:
        self._of_tunnel.setdefault(replica.tunnel, []).append(replica)
        self._by_key[replica.key] = replica

    def remove(self, replica: Replica) -> None:
        others = self._of_tunnel.get(replica.tunnel, [])
        if replica in others:
            others.remove(replica)
        if not others:
            self._of_tunnel.pop(replica.tunnel, None)
        self._by_key.pop(replica.key, None)

    def by_key(self, key: str) -> Replica | None:
        """The one whose lines bring `key`."""
        return self._by_key.get(key)

    def of(self, tunnel: str) -> list[Replica]:
        """All that are connected for a tunnel."""
        return list(self._of_tunnel.get(tunnel, ()))

    def all(self) -> list[Replica]:
        return list(self._by_key.values())

    def pick(self, tunnel: str, tried: Counter[str]) -> Replica | None:
        """The least busy one that takes requests; `tried` says how often each failed this one."""
        free = [
            replica
            for replica in self._of_tunnel.get(tunnel, ())
            if not replica.draining and tried[replica.key] < _ATTEMPTS
        ]
        if not free:
            return None
        chosen = min(free, key=_load)
        # The next one in turn, where they are equally busy.
        order = self._of_tunnel[tunnel]
        order.remove(chosen)
        order.append(chosen)
        return chosen


def _load(replica: Replica) -> int:
    return replica.load
