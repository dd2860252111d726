"""Starts a service's release: resolves `current`, then serves the sockets that systemd opened.

Run by the unit, in two stages of one process:
    launcher.py run ROOT IMPORT-PATH serve MODULE:ATTRIBUTE [--factory] [--workers N] [...]
    launcher.py run ROOT IMPORT-PATH exec PROGRAM ARGUMENT...

The first stage follows `ROOT/current` once, so that a process that imports late gets the code it
began with, and goes on in the release's own Python. `exec` is for a command of one's own.
"""

import argparse
import asyncio
import os
import runpy
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import uvicorn

FIRST_SOCKET = 3
KEEP_ALIVE_S = 100  # above the 90 s for which a connector in front keeps its connections
IDLE_GRACE_S = 1.0
CUT_OFF_S = 5
POLL_S = 0.05
RENEWAL = str(Path(__file__).with_name("renewal.py"))
RESPAWN_S = 1.0
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main(arguments: Sequence[str]) -> None:
    """Both stages: `run` replaces the process, `serve` ends with the service."""
    if arguments[:1] == ["run"]:
        run_release(Path(arguments[1]), arguments[2], arguments[3:])
    parser = argparse.ArgumentParser(prog="launcher.py")
    parser.add_argument("stage", choices=["serve"])
    parser.add_argument("app")
    parser.add_argument("--factory", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--drain", type=float, default=30)
    parser.add_argument("--tls", nargs=2, default=(None, None))
    serve_sockets(parser.parse_args(arguments))


def run_release(root: Path, import_path: str, rest: Sequence[str]) -> NoReturn:
    """Go on as the release that `current` names now: its Python, its imports, from beside them."""
    release = (root / "current").resolve(strict=True)
    binaries = (release / ".venv").resolve(strict=True) / "bin"
    imports = os.path.normpath(release / import_path)
    given = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{imports}:{given}" if given else imports
    os.environ["PATH"] = f"{binaries}:{SYSTEM_PATH}"
    os.environ["VIRTUAL_ENV"] = str(binaries.parent)
    os.chdir(imports.removesuffix("/src"))
    if rest[0] == "exec":
        try:
            os.execvp(rest[1], [*rest[1:]])  # noqa: S606
        except FileNotFoundError:
            raise SystemExit(f"{rest[1]}: not in {binaries} nor in {SYSTEM_PATH}") from None
    python = str(binaries / "python")
    os.execv(python, [python, "-P", str(Path(__file__).resolve()), *rest])  # noqa: S606


def serve_sockets(options: argparse.Namespace) -> NoReturn:
    """Serve until the service is told to stop; does not return."""
    number = int(os.environ.pop("LISTEN_FDS", "0"))
    os.environ.pop("LISTEN_PID", None)
    os.environ.pop("LISTEN_FDNAMES", None)
    if number < 1:
        raise SystemExit("no sockets were handed over: start the service through its socket unit")
    descriptors = range(FIRST_SOCKET, FIRST_SOCKET + number)
    notify = notifier(os.environ.pop("NOTIFY_SOCKET", ""))
    if options.workers == 1:
        serve(options, descriptors, notify)
    Supervisor(options.workers, lambda ready: serve(options, descriptors, ready), notify).run()


def serve(
    options: argparse.Namespace, descriptors: Sequence[int], notify: Callable[[str], None]
) -> NoReturn:
    """One process of the service, from its import to its last answer."""
    import uvicorn

    sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    config = uvicorn.Config(
        options.app,
        factory=options.factory,
        log_level=options.log_level,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=CUT_OFF_S,
        ssl_certfile=options.tls[0],
        ssl_keyfile=options.tls[1],
    )
    server = draining_server(config, options.drain, notify)
    server.run(sockets=sockets)
    raise SystemExit(0 if server.started else 3)


def draining_server(
    config: "uvicorn.Config", drain_s: float, notify: Callable[[str], None]
) -> "uvicorn.Server":
    """uvicorn's server, saying when it is ready, and draining before it stops."""
    import uvicorn

    class DrainingServer(uvicorn.Server):
        drained: asyncio.Task[None] | None = None
        told = 0

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if self.started and not self.should_exit:
                self.listen_first(asyncio.get_running_loop())
                if config.ssl is not None:
                    self.renewing = runpy.run_path(RENEWAL)["begin"](config)
                notify("READY=1")

        def listen_first(self, loop: asyncio.AbstractEventLoop) -> None:
            """Close the door at once, then pass the signal on to what the application set up."""
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self.before(signal.getsignal(number), loop))

        def before(self, after: object, loop: asyncio.AbstractEventLoop) -> Callable[..., None]:
            def received(number: int, frame: FrameType | None) -> None:
                self.told += 1
                self.should_exit = self.told > 1
                loop.call_soon_threadsafe(self.begin_drain)
                if callable(after):
                    after(number, frame)

            return received

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
            if not self.started:
                self.should_exit = True

        def begin_drain(self) -> None:
            if self.drained is None:
                self.drained = asyncio.get_running_loop().create_task(self.drain())

        async def drain(self) -> None:
            notify("STOPPING=1")
            await drain(self, drain_s)

    return DrainingServer(config)


async def drain(server: "uvicorn.Server", limit_s: float) -> None:
    """Take no new connection, end those that are there after their answers, then stop.

    A client that keeps its connection is told to close it with its next answer; one that is
    silent for a while is closed, and WebSockets are told that the service restarts.
    """
    for listening in server.servers:
        listening.close()
    for headers in (server.config.encoded_headers, server.server_state.default_headers):
        headers.append((b"connection", b"close"))
    began = time.monotonic()
    idle_closed = False
    while server.server_state.connections or server.server_state.tasks:
        waited = time.monotonic() - began
        if waited >= limit_s:
            break
        if waited >= IDLE_GRACE_S and not idle_closed:
            idle_closed = True
            for connection in list(server.server_state.connections):
                connection.shutdown()
        await asyncio.sleep(POLL_S)
    server.should_exit = True


def notifier(path: str) -> Callable[[str], None]:
    """Speaks to systemd; says nothing where nobody listens."""
    address = f"\0{path[1:]}" if path.startswith("@") else path

    def notify(message: str) -> None:
        if address:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.connect(address)
                channel.send(message.encode())

    return notify


class Supervisor:
    """Several processes of one service: ready when all are, failed when one dies at its start."""

    def __init__(
        self,
        number: int,
        work: Callable[[Callable[[str], None]], NoReturn],
        notify: Callable[[str], None],
    ) -> None:
        self._number = number
        self._work = work
        self._notify = notify
        self._selector = selectors.DefaultSelector()
        self._pipes: dict[int, int] = {}
        self._ready: set[int] = set()
        self._all_were_ready = False
        self._stopping = False
        self._respawn_at: list[float] = []

    def run(self) -> NoReturn:
        """Until all are gone; the exit code says whether they went as asked."""
        woken, waker = os.pipe()
        for end in (woken, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(woken, selectors.EVENT_READ)
        for _ in range(self._number):
            self._spawn()
        while self._pipes or self._respawn_at:
            for key, _ in self._selector.select(self._pause()):
                if key.fd == woken:
                    os.read(woken, 4096)
                else:
                    self._read(key.fd, key.data)
            self._reap()
            self._respawn()
        raise SystemExit(0 if self._all_were_ready else 3)

    def _spawn(self) -> None:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            self._selector.close()
            os.close(reading)
            self._work(lambda message: _tell(writing, message))
        os.close(writing)
        self._pipes[pid] = reading
        self._selector.register(reading, selectors.EVENT_READ, pid)

    def _read(self, descriptor: int, pid: int) -> None:
        if os.read(descriptor, 64):
            self._ready.add(pid)
            if len(self._ready) == self._number and not self._all_were_ready:
                self._all_were_ready = True
                self._notify("READY=1")
        self._selector.unregister(descriptor)

    def _reap(self) -> None:
        for pid in list(self._pipes):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._gone(pid, os.waitstatus_to_exitcode(status))

    def _gone(self, pid: int, code: int) -> None:
        descriptor = self._pipes.pop(pid)
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)
        os.close(descriptor)
        self._ready.discard(pid)
        if self._stopping:
            return
        print(f"worker {pid} ended with status {code}", file=sys.stderr, flush=True)
        if self._all_were_ready:
            self._respawn_at.append(time.monotonic() + RESPAWN_S)
        else:
            print("a worker died while starting: the start has failed", file=sys.stderr, flush=True)
            self._stop(signal.SIGTERM, None)

    def _respawn(self) -> None:
        due = [at for at in self._respawn_at if at <= time.monotonic()]
        for at in due:
            self._respawn_at.remove(at)
            self._spawn()

    def _pause(self) -> float | None:
        return max(0.0, min(self._respawn_at) - time.monotonic()) if self._respawn_at else None

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            self._respawn_at.clear()
            self._notify("STOPPING=1")
        for pid in self._pipes:
            os.kill(pid, number)


def _tell(descriptor: int, message: str) -> None:
    if message == "READY=1":
        os.write(descriptor, b"1")


if __name__ == "__main__":
    main(sys.argv[1:])
