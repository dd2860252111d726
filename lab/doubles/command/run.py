"""Runs one command on a host and gives its output; the failure texts are the real plugin's."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import asyncssh
import grpc  # type: ignore[import-untyped]

from lab.doubles.command import go_text
from lab.doubles.command.channel import WINDOW, VariableRefused, execute
from lab.doubles.command.dial import connected, rejected
from lab.doubles.command.endpoint import Endpoint
from lab.doubles.command.lines import LIMIT, Lines, LineTooLong
from lab.doubles.provider import Refused
from lab.doubles.session import ERROR, WARNING, Scope

_ADVICE = (
    "sshd takes only what its AcceptEnv names; where a shell runs the command, "
    "VAR=value before it does the same"
)


@dataclass(frozen=True)
class Job:
    """What to run."""

    command: str
    stdin: str
    environment: Mapping[str, str]
    previous: Mapping[str, str]
    """Output of the run before, by variable; sshd may refuse these."""
    log_stdout: bool
    log_stderr: bool


class _Output(asyncssh.SSHClientSession[bytes]):
    """Collects what a command writes, in the order of its arrival."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._lines = Lines()
        self.stdout, self.stderr, self.both = bytearray(), bytearray(), bytearray()
        self.shown: asyncio.Queue[str | None] = asyncio.Queue()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.channel: asyncssh.SSHClientChannel[bytes] | None = None
        self.stdin_unread = False

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self.channel = chan

    def exit_status_received(self, status: int) -> None:
        del status
        # What was never sent is what the command left no room for.
        self.stdin_unread = self.channel is not None and bool(self.channel.get_write_buffer_size())

    def data_received(self, data: bytes, datatype: int | None) -> None:
        is_stderr = datatype == asyncssh.EXTENDED_DATA_STDERR
        (self.stderr if is_stderr else self.stdout).extend(data)
        self.both.extend(data)
        if not (self._job.log_stderr if is_stderr else self._job.log_stdout):
            return
        try:
            for line in self._lines.feed(data):
                self.shown.put_nowait(line)
        except LineTooLong as error:
            if not self.over.done():
                self.over.set_exception(error)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.over.done():
            return
        for line in self._lines.last():
            self.shown.put_nowait(line)
        if exc is None:
            self.over.set_result(None)
        else:
            self.over.set_exception(exc)


async def run(scope: Scope, endpoint: Endpoint, job: Job) -> tuple[str, str]:
    """stdout and stderr of the command, each without its last line break. Raises Refused."""
    output = _Output(job)
    async with connected(scope, endpoint) as connection:
        channel = await _start(scope, connection, output, job)
        printer = asyncio.create_task(_print(scope, output.shown))
        try:
            await output.over
        except LineTooLong:
            channel.abort()
            raise Refused(
                f"running {go_text.quoted(job.command)}: one line of its output is longer than "
                f"{LIMIT} bytes, at which the real pulumi-command hangs for ever; print shorter "
                "lines, write to a file on the host, or set logging to none"
            ) from None
        except (asyncssh.DisconnectError, OSError) as error:
            raise Refused(_lost(error, job, output)) from None
        finally:
            output.shown.put_nowait(None)
            await printer
    _refuse_failure(channel, job, output)
    return _text(output.stdout, "stdout"), _text(output.stderr, "stderr")


async def _start(
    scope: Scope, connection: asyncssh.SSHClientConnection, output: _Output, job: Job
) -> asyncssh.SSHClientChannel[bytes]:
    try:
        channel, refused = await execute(
            connection,
            output,
            job.command,
            wanted=sorted(job.environment.items()),
            optional=sorted(job.previous.items(), reverse=True),
        )
    except VariableRefused as error:
        await scope.note(ERROR, f"Unable to set '{error.name}': {_ADVICE}")
        raise Refused(
            f"could not set environment variable {go_text.quoted(error.name)}: ssh: setenv failed"
        ) from None
    except asyncssh.ChannelOpenError as error:
        if error.code == asyncssh.OPEN_REQUEST_SESSION_FAILED:
            text = f"ssh: command {job.command} failed: {_running(job, output)}"
            raise Refused(text) from None
        raise Refused(rejected(error)) from None
    _send_stdin(channel, output, job.stdin.encode())
    for name in refused:
        await scope.note(WARNING, f"Unable to set '{name}': {_ADVICE}")
    return channel


def _send_stdin(channel: asyncssh.SSHClientChannel[bytes], output: _Output, data: bytes) -> None:
    try:
        if data:
            channel.write(data)
        channel.write_eof()
    except BrokenPipeError:
        # A quick command is over already; what fits into the window counts as sent.
        output.stdin_unread = len(data) > WINDOW


async def _print(scope: Scope, lines: asyncio.Queue[str | None]) -> None:
    while (line := await lines.get()) is not None:
        await scope.status(line)


def _refuse_failure(channel: asyncssh.SSHClientChannel[bytes], job: Job, output: _Output) -> None:
    status = channel.get_exit_status()
    signal, _, reason, _ = channel.get_exit_signal() or ("", False, "", "")
    if status == 0:
        if output.stdin_unread:
            raise Refused(
                _explained(
                    f"EOF: {_running(job, output)}",
                    "it ended with status 0 and without having read its stdin, which the real "
                    "pulumi-command takes for a failure: read all of it, or send less",
                )
            )
        return
    # asyncssh says -1 where a signal ended the process.
    known = status if status is not None and not signal else None
    raise Refused(f"{go_text.exit_text(known, signal, reason)}: {_running(job, output)}")


def _lost(error: Exception, job: Job, output: _Output) -> str:
    text = f"{go_text.exit_text(None, '', '')}: {_running(job, output)}"
    if isinstance(error, asyncssh.ConnectionLost) and "keepalive" in str(error):
        return _explained(
            text,
            "the server stopped answering; the real pulumi-command sends no keepalives "
            "and would wait for ever",
        )
    return text


def _running(job: Job, output: _Output) -> str:
    return f"running {go_text.quoted(job.command)}:\n{output.both.decode(errors='replace')}"


def _explained(text: str, why: str) -> str:
    """`text`, which is the real plugin's, with ours on a line of its own."""
    return f"{text}{'' if text.endswith(chr(10)) else chr(10)}({why})"


def _text(data: bytearray, name: str) -> str:
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise Refused(
            "grpc: error while marshaling: string field contains invalid UTF-8 "
            f"({name}, byte {error.start}: the real pulumi-command breaks here, after the command "
            "has run; print text only, write anything else to a file on the host)",
            grpc.StatusCode.INTERNAL,
        ) from None
