"""A session channel that asks for each environment variable and hears the answer.

asyncssh sends variables without asking whether sshd took them; the real plugin asks, and its
answer depends on it. This is the only place that relies on asyncssh's insides.
"""

import asyncio
from collections.abc import Sequence

import asyncssh
from asyncssh.packet import String

WINDOW = 2 * 1024 * 1024
"""Bytes that may be under way unread: what asyncssh and OpenSSH both allow."""
_PACKET = 32 * 1024


class _Channel(asyncssh.SSHClientChannel[bytes]):
    command = ""
    wanted: Sequence[tuple[str, str]] = ()
    optional: Sequence[tuple[str, str]] = ()

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(connection, loop, "strict", None, "strict", WINDOW, _PACKET)
        self.refused: list[str] = []

    async def _make_request(self, request: bytes, *args: bytes) -> bool | None:
        del request, args
        for name, value in self.wanted:
            if not await self._set(name, value):
                self.refused.append(name)
                return False
        for name, value in self.optional:
            if not await self._set(name, value):
                self.refused.append(name)
        return await super()._make_request(b"exec", String(self.command))

    async def _set(self, name: str, value: str) -> bool:
        return bool(await super()._make_request(b"env", String(name), String(value)))


class VariableRefused(Exception):  # noqa: N818 - an answer of sshd
    """sshd does not accept the variable; the command was not started."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


async def execute(
    connection: asyncssh.SSHClientConnection,
    session: asyncssh.SSHClientSession[bytes],
    command: str,
    *,
    wanted: Sequence[tuple[str, str]],
    optional: Sequence[tuple[str, str]],
) -> tuple[asyncssh.SSHClientChannel[bytes], list[str]]:
    """Start `command`; returns its channel and the names of `optional` that sshd refused.

    Raises VariableRefused for one of `wanted`, asyncssh.ChannelOpenError when it does not start.
    """
    channel = _Channel(connection)
    channel.command, channel.wanted, channel.optional = command, wanted, optional
    try:
        # Any command that is not empty: `_make_request` sends the real one, empty or not.
        await channel.create(
            lambda: session,
            "-",
            subsystem=None,
            env={},
            request_pty=False,
            term_type=None,
            term_size=None,
            term_modes={},
            x11_forwarding=False,
            x11_display=None,
            x11_auth_path=None,
            x11_single_connection=False,
            agent_forwarding=False,
        )
    except asyncssh.ChannelOpenError:
        names = {name for name, _ in wanted}
        for name in channel.refused:
            if name in names:
                raise VariableRefused(name) from None
        raise
    return channel, channel.refused
