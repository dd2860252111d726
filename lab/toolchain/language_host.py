"""The program behind ``pulumi-language-python``: runs Python programs for the Pulumi engine.

Started by the engine by its path, never imported, and free of the lab's other modules. The Python
that runs this file also runs the program, so whatever the program imports is already there.
"""

import ctypes
import gc
import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
import threading
from concurrent import futures
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import NoReturn

SEEN_BY_USER = 32
"""The exit code by which a program says that it has shown its error to the user."""
_PR_SET_CHILD_SUBREAPER = 36


def enter_without_init(*packages: str) -> None:
    """Register packages, outermost first, whose modules can be imported without their ``__init__``.

    The host needs three generated modules of the SDK; the SDK's own start would take twice as long
    as all the rest of the host's.
    """
    found = importlib.util.find_spec(packages[0])
    if found is None or found.origin is None:
        sys.exit(f"pulumi-language-python: {sys.executable} has no {packages[0]} package")
    root = Path(found.origin).parent
    for name in packages:
        module = ModuleType(name)
        module.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = module


gc.disable()  # The engine waits for it twice in each run, and then it does next to nothing.
enter_without_init("pulumi", "pulumi.runtime", "pulumi.runtime.proto")

import grpc  # type: ignore[import-untyped]  # noqa: E402
from google.protobuf import empty_pb2  # type: ignore[import-untyped]  # noqa: E402
from pulumi.runtime.proto import language_pb2 as messages  # noqa: E402
from pulumi.runtime.proto import language_pb2_grpc as service  # noqa: E402
from pulumi.runtime.proto import plugin_pb2  # noqa: E402


class Program:
    """One running program, in a process group of its own that ends with it."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, process_group=0
        )
        self._lock = threading.Lock()
        self._over = threading.Event()

    def wait(self) -> int:
        """Return the exit code, negative for a signal, once the whole group is gone."""
        # Not reaped yet: until it is, no other group can get this number.
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        self._signal(signal.SIGKILL)
        with self._lock:
            self._over.set()
            return self._process.wait()

    def end(self) -> None:
        """End the group: it has a second to do so by itself."""
        self._signal(signal.SIGTERM)
        self._over.wait(1)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if not self._over.is_set():
                os.killpg(self._process.pid, number)


class Programs:
    """The programs that run now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Program] = set()
        self._closed = False

    def start(self, command: list[str], environment: dict[str, str]) -> Program:
        with self._lock:
            if self._closed:
                raise OSError("the language host is shutting down")
            program = Program(command, environment)
            self._running.add(program)
            return program

    def forget(self, program: Program) -> None:
        with self._lock:
            self._running.discard(program)

    def end_all(self) -> None:
        with self._lock:
            running = list(self._running)
        for program in running:
            program.end()

    def close(self) -> None:
        """End what runs and refuse what would start."""
        with self._lock:
            self._closed = True
        self.end_all()


class LanguageHost(service.LanguageRuntimeServicer):
    """What the engine asks of a language, as far as running programs goes.

    The rest (installing dependencies, generating code) answers "not implemented".
    """

    def __init__(self, engine: str, executor: Path, programs: Programs) -> None:
        self._engine = engine
        self._executor = executor
        self._programs = programs

    def Handshake(  # noqa: N802
        self, request: messages.LanguageHandshakeRequest, _context: grpc.ServicerContext
    ) -> messages.LanguageHandshakeResponse:
        self._engine = request.engine_address
        return messages.LanguageHandshakeResponse()

    def GetPluginInfo(  # noqa: N802
        self, _request: empty_pb2.Empty, _context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def GetRequiredPackages(  # noqa: N802
        self, _request: messages.GetRequiredPackagesRequest, _context: grpc.ServicerContext
    ) -> messages.GetRequiredPackagesResponse:
        # The engine would download what is named here. Every resource names its plugin itself.
        return messages.GetRequiredPackagesResponse()

    def About(  # noqa: N802
        self, _request: messages.AboutRequest, _context: grpc.ServicerContext
    ) -> messages.AboutResponse:
        return messages.AboutResponse(executable=sys.executable, version=platform.python_version())

    def GetProgramDependencies(  # noqa: N802
        self, _request: messages.GetProgramDependenciesRequest, _context: grpc.ServicerContext
    ) -> messages.GetProgramDependenciesResponse:
        return messages.GetProgramDependenciesResponse(
            dependencies=[
                messages.DependencyInfo(name=found.name, version=found.version)
                for found in metadata.distributions()
            ]
        )

    def Run(  # noqa: N802
        self, request: messages.RunRequest, context: grpc.ServicerContext
    ) -> messages.RunResponse:
        try:
            program = self._programs.start(self._command(request), environment_of(request))
        except OSError as error:
            return messages.RunResponse(error=f"Program could not be started: {error}")
        try:
            # Fires when the call is over, for whatever reason: also when the engine gave up on it.
            if not context.add_callback(program.end):
                program.end()
            code = program.wait()
        finally:
            self._programs.forget(program)
        if code == SEEN_BY_USER:
            return messages.RunResponse(bail=True)
        return messages.RunResponse(error=described(code))

    def Cancel(  # noqa: N802
        self, _request: empty_pb2.Empty, _context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        self._programs.end_all()
        return empty_pb2.Empty()

    def _command(self, request: messages.RunRequest) -> list[str]:
        options = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
            "pwd": request.pwd,
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
        }
        program = Path(request.info.program_directory, request.info.entry_point)
        return [
            *[sys.executable, "-u", str(self._executor)],
            *[f"--{name}={value}" for name, value in options.items() if value],
            "--",
            str(program),
            *request.args,
        ]


def environment_of(request: messages.RunRequest) -> dict[str, str]:
    return {
        **os.environ,
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }


def described(code: int) -> str:
    if code == 0:
        return ""
    if code < 0:
        return f"Program was ended by {signal.Signals(-code).name}"
    return f"Program exited with non-zero exit code: {code}"


def adopt_orphans() -> None:
    """Become the parent of what programs leave behind in sessions of their own, where that can be.

    Else it is init, and nothing tells any more whose they were.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_descendants() -> None:
    """End all that is below this process."""
    import psutil  # only at the end: it costs the start a tenth

    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def main(executor: str, engine_process: int, *given_by_engine: str) -> NoReturn:
    """Serve until a signal comes or the engine is gone; then take the programs along."""
    asked_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_end.set())

    adopt_orphans()
    programs = Programs()
    # The engine's address comes last; before it stand options for logs that this program has not.
    host = LanguageHost(given_by_engine[-1], Path(executor), programs)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    service.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)

    while os.getppid() == engine_process and not asked_to_end.wait(1):
        pass
    programs.close()
    end_descendants()
    # Not sys.exit: it would wait for calls that the engine no longer listens to.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
