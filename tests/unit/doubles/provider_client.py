"""The engine's part: starts a plugin, asks it over gRPC, and keeps what it logs."""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

Json = dict[str, Any]
KIND = rpc._special_sig_key
COMMAND = "urn:pulumi:one::tried::command:remote:Command::res"
COPY = "urn:pulumi:one::tried::command:remote:CopyToRemote::res"
COPY_FILE = "urn:pulumi:one::tried::command:remote:CopyFile::res"
REQUESTS = {
    "Check": provider_pb2.CheckRequest,
    "Diff": provider_pb2.DiffRequest,
    "Create": provider_pb2.CreateRequest,
    "Update": provider_pb2.UpdateRequest,
    "Delete": provider_pb2.DeleteRequest,
    "Read": provider_pb2.ReadRequest,
    "Configure": provider_pb2.ConfigureRequest,
    "Invoke": provider_pb2.InvokeRequest,
    "Attach": plugin_pb2.PluginAttach,
}


def secret(value: Any) -> Json:
    return {KIND: rpc._special_secret_sig, "value": value}


def asset(**fields: str) -> Json:
    return {KIND: rpc._special_asset_sig, **fields}


def archive(**fields: str) -> Json:
    return {KIND: rpc._special_archive_sig, **fields}


class Engine(engine_pb2_grpc.EngineServicer):
    """An engine that only listens."""

    def __init__(self) -> None:
        self.logs: list[Any] = []
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802
        del context
        self.logs.append(request)
        return empty_pb2.Empty()

    def texts(self) -> list[str]:
        return [log.message for log in self.logs]

    def stop(self) -> None:
        self._server.stop(None).wait()


class Plugin:
    """A plugin's process and one connection to it."""

    def __init__(self, command: list[str], *, engine: Engine | None = None) -> None:
        self.engine = engine or Engine()
        self.process = subprocess.Popen(
            [*command, self.engine.address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.connection = Connection(self.port)

    def ask(self, method: str, **fields: Any) -> Json:
        return self.connection.ask(method, **fields)

    def end(self) -> str:
        """End it; what it wrote on stderr."""
        self.connection.close()
        self.process.terminate()
        _, stderr = self.process.communicate(timeout=10)
        self.engine.stop()
        return stderr


class Connection:
    """One engine's connection to a plugin that runs."""

    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(
            f"127.0.0.1:{port}",
            # Channels of one process otherwise share a connection: two engines never do.
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.use_local_subchannel_pool", 1),
            ],
        )
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def ask(self, method: str, **fields: Any) -> Json:
        """The answer, or `{code, error}`."""
        request = REQUESTS.get(method, empty_pb2.Empty)(
            **{key: _struct(value) for key, value in fields.items()}
        )
        try:
            answer = getattr(self._stub, method)(request, timeout=30)
        except grpc.RpcError as error:
            return {"code": error.code().name, "error": error.details()}
        found: Json = json_format.MessageToDict(answer)
        return found

    def close(self) -> None:
        self._channel.close()


def create(plugin: Plugin, connection: Json, **inputs: Any) -> Json:
    properties = {"connection": secret(connection), **inputs}
    return plugin.ask("Create", urn=COMMAND, properties=properties)


def copy(plugin: Plugin, connection: Json, source: Json, target: Path | str) -> Json:
    properties = {"connection": secret(connection), "source": source, "remotePath": str(target)}
    return plugin.ask("Create", urn=COPY, properties=properties)


class Asking(threading.Thread):
    """A question under way; `answer` waits for it."""

    def __init__(self, connection: Connection, method: str, **fields: Any) -> None:
        super().__init__(daemon=True)
        self._ask = lambda: connection.ask(method, **fields)
        self._answer: Json = {}
        self.start()

    def run(self) -> None:
        self._answer = self._ask()  # type: ignore[no-untyped-call]

    def answer(self, limit_s: float = 20) -> Json:
        self.join(limit_s)
        assert not self.is_alive(), f"no answer within {limit_s} s"
        return self._answer


def wait_until(holds: Callable[[], Any], what: str, limit_s: float = 10) -> None:
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {limit_s} s"
        time.sleep(0.02)


def _struct(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    struct = struct_pb2.Struct()
    json_format.Parse(json.dumps(value), struct)
    return struct
