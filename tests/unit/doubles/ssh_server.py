"""An SSH server on loopback, in a thread: real commands, real files, AcceptEnv ACC_*."""

import asyncio
import contextlib
import os
import signal
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.channel import SSHServerChannel


def _process_env(channel: Any, packet: Any) -> bool:
    """What sshd does with AcceptEnv ACC_*; asyncssh's own server takes every variable."""
    name, value = packet.get_string(), packet.get_string()
    packet.check_end()
    if not name.startswith(b"ACC_"):
        return False
    channel._env[name] = value
    return True


@dataclass
class SshServer:
    """A running server. `logins` counts attempts to log in, `commands` the commands begun."""

    home: Path
    port: int = 0
    user_key: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    host_key: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    password: str = ""
    logins: int = 0
    commands: list[str] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @cached_property
    def private_key(self) -> str:
        # Exported once: the format holds random bytes, so no two exports are equal.
        return self.user_key.export_private_key().decode()

    @property
    def host_key_line(self) -> str:
        return self.host_key.export_public_key().decode()

    def connection(self, **changed: Any) -> dict[str, Any]:
        """A `connection` that reaches this server."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": "root",
            "privateKey": self.private_key,
            "dialErrorLimit": 1,
            "perDialTimeout": 5,
            **changed,
        }

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def drop_connections(self) -> None:
        """Cut every connection, as a server does that loses power."""
        assert self._loop is not None
        for connection in self.connections:
            self._loop.call_soon_threadsafe(connection.abort)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        acceptor = await self._listen()
        self.port = acceptor.get_port()
        ready.set()
        await self._over.wait()
        acceptor.close()
        for connection in self.connections:
            connection.abort()
        # asyncio.run cancels what still runs, and waits for it.

    async def _listen(self) -> asyncssh.SSHAcceptor:
        SSHServerChannel._process_env_request = _process_env  # type: ignore[method-assign,assignment]
        server = self

        class Server(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                server.connections.append(conn)

            def begin_auth(self, username: str) -> bool:
                del username
                server.logins += 1
                return True

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
                del username
                return key == server.user_key.convert_to_public()

            def password_auth_supported(self) -> bool:
                return bool(server.password)

            def validate_password(self, username: str, password: str) -> bool:
                del username
                return bool(server.password) and password == server.password

            def connection_requested(
                self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
            ) -> bool:
                del dest_host, dest_port, orig_host, orig_port
                return True

        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Server,
            server_host_keys=[self.host_key],
            process_factory=self._run_command,
            sftp_factory=True,
            encoding=None,
        )

    async def _run_command(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        command = process.command or ""
        self.commands.append(command)
        program = await asyncio.create_subprocess_exec(
            "/bin/bash",
            "-c",
            command,
            cwd=self.home,
            env={
                "HOME": str(self.home),
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                **{_text(k): _text(v) for k, v in process.env.items()},
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        stdin = asyncio.create_task(_feed(process.stdin, program.stdin))
        try:
            async with asyncio.TaskGroup() as streams:
                streams.create_task(_show(program.stdout, process.stdout))
                streams.create_task(_show(program.stderr, process.stderr))
            status = await program.wait()
        finally:
            stdin.cancel()
            # All of it, and its pipes to their end: what stays open is reported by the tests.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.stdin.close()
            await program.stdout.read()
            await program.stderr.read()
            await program.wait()
        if status < 0:
            process.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
        else:
            process.exit(status)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


async def _feed(source: "asyncssh.SSHReader[bytes]", sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.close()


async def _show(source: asyncio.StreamReader, sink: "asyncssh.SSHWriter[bytes]") -> None:
    with contextlib.suppress(BrokenPipeError):
        while data := await source.read(65536):
            sink.write(data)
