"""The base of the doubles: Pulumi's provider protocol over resources that work on plain values."""

# ruff: noqa: N802 - the protocol's own method names

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import NoReturn, Protocol

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.provider.experimental.provider import (
    ConfigureRequest,
    ConfigureResponse,
    GetSchemaRequest,
    GetSchemaResponse,
    Provider,
)
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime import proto
from pulumi.runtime.proto import engine_pb2_grpc

from lab.doubles import values
from lab.doubles.diff import Change
from lab.doubles.session import INFO, Cancelled, Scope, Session
from lab.doubles.shapes import Failure
from lab.doubles.values import Properties

MESSAGE_LIMIT = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]


class Refused(Exception):  # noqa: N818 - carries an answer of the protocol
    """An operation that failed; its text is what the user sees."""

    def __init__(self, text: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> None:
        super().__init__(text)
        self.code = code


class Context(Protocol):
    """What gRPC gives with every call."""

    def peer(self) -> str:
        """The other end of the connection."""

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """Answer with an error; raises."""


class Resource(ABC):
    """One resource type. Operations raise Refused or Cancelled."""

    @abstractmethod
    def check(self, inputs: Properties) -> tuple[Properties, list[Failure]]:
        """The inputs, completed, and what is wrong with them."""

    @abstractmethod
    def diff(self, state: Properties, inputs: Properties) -> list[Change]:
        """What differs."""

    @abstractmethod
    def preview_create(self, name: str, inputs: Properties) -> tuple[str, Properties]:
        """The id and the state that a create would give; reaches nothing outside."""

    @abstractmethod
    async def create(self, scope: Scope, name: str, inputs: Properties) -> tuple[str, Properties]:
        """Make it; the id and the state."""

    @abstractmethod
    def preview_update(self, urn: str, state: Properties, inputs: Properties) -> Properties:
        """The state that an update would give; reaches nothing outside."""

    @abstractmethod
    async def update(self, scope: Scope, state: Properties, inputs: Properties) -> Properties:
        """Change it in place; the new state."""

    @abstractmethod
    async def delete(self, scope: Scope, state: Properties) -> None:
        """Take it away."""


class Double(Provider):
    """A double of the plugin `name` `version`, with its resources by type token."""

    def __init__(self, name: str, version: str, resources: Mapping[str, Resource]) -> None:
        self.name = name
        self.version = version
        self.resources = resources

    @property
    def introduction(self) -> str:
        """The line that says what this is."""
        return (
            f"{self.name} {self.version} is the lab's double of the provider, "
            "not the real plugin, which could not be had here"
        )

    async def configure(self, request: ConfigureRequest) -> ConfigureResponse:
        del request
        return ConfigureResponse(
            accept_secrets=True, accept_resources=True, accept_outputs=True, supports_preview=True
        )

    async def get_schema(self, request: GetSchemaRequest) -> GetSchemaResponse:
        del request
        raise Refused(f"{self.introduction}: it has no schema", grpc.StatusCode.UNIMPLEMENTED)


class DoubleServicer(ProviderServicer):
    """Answers the engine for one Double."""

    def __init__(self, double: Double, engine_address: str | None) -> None:
        super().__init__([], f"{double.version}+double", double, engine_address or "")
        self._double = double
        self._sessions: dict[str, Session] = {}
        self._introduced: set[str] = set()

    async def Attach(self, request: proto.PluginAttach, context: Context) -> empty_pb2.Empty:
        self._sessions[context.peer()] = self._connected(request.address)
        return empty_pb2.Empty()

    async def Configure(
        self, request: proto.ConfigureRequest, context: Context
    ) -> proto.ConfigureResponse:
        # A connection's first word: whoever had the same address before is gone.
        self._session(context).cancelled.clear()
        return await super().Configure(request, context)

    async def Cancel(self, request: empty_pb2.Empty, context: Context) -> empty_pb2.Empty:
        del request
        self._session(context).cancelled.set()
        return empty_pb2.Empty()

    async def CheckConfig(
        self, request: proto.CheckRequest, context: Context
    ) -> proto.CheckResponse:
        del context
        return proto.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: proto.DiffRequest, context: Context) -> proto.DiffResponse:
        del request
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "DiffConfig is not implemented")

    async def Invoke(self, request: proto.InvokeRequest, context: Context) -> proto.InvokeResponse:
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"{request.tok}: {self._double.introduction}; it has no functions",
        )

    async def Check(self, request: proto.CheckRequest, context: Context) -> proto.CheckResponse:
        resource = await self._resource(request.urn, context)
        inputs, failures = resource.check(values.read(request.news))
        return proto.CheckResponse(
            inputs=values.write(inputs),
            failures=[proto.CheckFailure(property=f.property, reason=f.reason) for f in failures],
        )

    async def Diff(self, request: proto.DiffRequest, context: Context) -> proto.DiffResponse:
        resource = await self._resource(request.urn, context)
        state, inputs = without_ignored(request)
        found = resource.diff(state, inputs)
        return proto.DiffResponse(
            changes=proto.DiffResponse.DIFF_SOME if found else proto.DiffResponse.DIFF_NONE,
            diffs=_once(change.top for change in found),
            replaces=_once(change.top for change in found if change.kind.value & 1),
            detailedDiff={
                change.path: proto.PropertyDiff(kind=change.kind.value)  # type: ignore[arg-type]
                for change in found
            },
            hasDetailedDiff=True,
        )

    async def Create(self, request: proto.CreateRequest, context: Context) -> proto.CreateResponse:
        resource = await self._resource(request.urn, context)
        inputs = values.read(request.properties)
        name = request.urn.rpartition("::")[2]
        try:
            if request.preview:
                made, state = resource.preview_create(name, inputs)
            else:
                scope = await self._scope(request.urn, request.timeout, context)
                made, state = await resource.create(scope, name, inputs)
        except (Refused, Cancelled) as error:
            await context.abort(error.code, str(error))
        return proto.CreateResponse(id=made, properties=values.write(state))

    async def Update(self, request: proto.UpdateRequest, context: Context) -> proto.UpdateResponse:
        resource = await self._resource(request.urn, context)
        state, inputs = without_ignored(request)
        try:
            if request.preview:
                state = resource.preview_update(request.urn, state, inputs)
            else:
                scope = await self._scope(request.urn, request.timeout, context)
                state = await resource.update(scope, state, inputs)
        except (Refused, Cancelled) as error:
            await context.abort(error.code, str(error))
        return proto.UpdateResponse(properties=values.write(state))

    async def Delete(self, request: proto.DeleteRequest, context: Context) -> empty_pb2.Empty:
        resource = await self._resource(request.urn, context)
        scope = await self._scope(request.urn, request.timeout, context)
        try:
            await resource.delete(scope, values.read(request.properties))
        except (Refused, Cancelled) as error:
            await context.abort(error.code, str(error))
        return empty_pb2.Empty()

    async def Read(self, request: proto.ReadRequest, context: Context) -> proto.ReadResponse:
        await self._resource(request.urn, context)
        return proto.ReadResponse(
            id=request.id, properties=request.properties, inputs=request.inputs
        )

    async def _resource(self, urn: str, context: Context) -> Resource:
        token = urn.split("::")[-2].rpartition("$")[2] if "::" in urn else urn
        resource = self._double.resources.get(token)
        if resource is None:
            known = ", ".join(sorted(self._double.resources))
            await context.abort(
                grpc.StatusCode.NOT_FOUND,
                f"Resource '{token.partition(':')[2]}' not found: "
                f"{self._double.introduction}, and has only {known}",
            )
        return resource

    async def _scope(self, urn: str, timeout_s: float, context: Context) -> Scope:
        session = self._session(context)
        if context.peer() not in self._introduced:
            self._introduced.add(context.peer())
            await session.log("", INFO, self._double.introduction)
        deadline = None
        if timeout_s:
            deadline = asyncio.get_running_loop().time() + int(timeout_s)
        return Scope(session, urn, deadline)

    def _session(self, context: Context) -> Session:
        peer: str = context.peer()
        if peer not in self._sessions:
            self._sessions[peer] = self._connected(self._engine_address)
        return self._sessions[peer]

    @staticmethod
    def _connected(address: str) -> Session:
        if not address:
            return Session()
        channel = grpc.aio.insecure_channel(address, options=MESSAGE_LIMIT)
        return Session(engine_pb2_grpc.EngineStub(channel))


def without_ignored(
    request: proto.DiffRequest | proto.UpdateRequest,
) -> tuple[Properties, Properties]:
    """The old state and the new inputs, ignored inputs as they were."""
    state, inputs = values.read(request.olds), values.read(request.news)
    for key in request.ignoreChanges:
        if key in state:
            inputs[key] = state[key]
    return state, inputs


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
