"""Answers the engine as a bridge does: every call becomes a check, a plan, a read or an action."""

# ruff: noqa: N802 - the protocol's own method names

from collections.abc import Awaitable
from typing import Any, TypeVar

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime import proto

from lab.doubles import values
from lab.doubles.bridged.attributes import Tf, snake
from lab.doubles.bridged.check import faults
from lab.doubles.bridged.configuration import ConfigPlace, as_text, readable, unknown_keys
from lab.doubles.bridged.convert import EncodeError, decode, encode, mark_secrets
from lab.doubles.bridged.inputs import imported_inputs, refreshed_inputs
from lab.doubles.bridged.plan import Plan, make_plan
from lab.doubles.bridged.resource import BridgedDouble, BridgedFunction, BridgedResource
from lab.doubles.command.go_text import quoted
from lab.doubles.provider import Context, DoubleServicer, Refused, without_ignored
from lab.doubles.session import WARNING, Cancelled, Scope
from lab.doubles.values import Properties, plain

T = TypeVar("T")
_Acting = proto.CreateRequest | proto.UpdateRequest | proto.DeleteRequest


class BridgedServicer(DoubleServicer):
    """Answers the engine for one BridgedDouble; a client for each connection."""

    def __init__(self, double: BridgedDouble[Any], engine_address: str | None) -> None:
        super().__init__(double, engine_address)
        self._bridge = double.bridge
        self._name = double.name
        self._clients: dict[str, Any] = {}

    async def CheckConfig(
        self, request: proto.CheckRequest, context: Context
    ) -> proto.CheckResponse:
        said = values.read(request.news)
        try:
            config = encode(self._bridge.config, readable(self._bridge.config, said))
        except EncodeError as error:
            await context.abort(
                grpc.StatusCode.UNKNOWN,
                f"cannot encode provider configuration to call ValidateProviderConfig: {error}",
            )
        found = [*faults(self._bridge.config, config), *self._bridge.config_faults(config)]
        place = ConfigPlace(self._name, request.urn)
        reasons = [place.told(fault) for fault in found]
        reasons += [place.unknown(key) for key in unknown_keys(self._bridge.config, said)]
        inputs = mark_secrets(self._bridge.config, {k: as_text(v) for k, v in said.items()})
        return proto.CheckResponse(
            inputs=values.write(inputs),
            failures=[proto.CheckFailure(reason=reason) for reason in reasons],
        )

    async def DiffConfig(self, request: proto.DiffRequest, context: Context) -> proto.DiffResponse:
        del context
        old, new = values.read(request.olds), values.read(request.news)
        changed = sorted(
            k for k in old.keys() | new.keys() if plain(old.get(k)) != plain(new.get(k))
        )
        kind = proto.DiffResponse.DIFF_SOME if changed else proto.DiffResponse.DIFF_NONE
        return proto.DiffResponse(changes=kind, diffs=changed)

    async def Configure(
        self, request: proto.ConfigureRequest, context: Context
    ) -> proto.ConfigureResponse:
        self._session(context).cancelled.clear()
        try:
            config = encode(
                self._bridge.config, readable(self._bridge.config, values.read(request.args))
            )
            client = self._bridge.connect(config)
        except EncodeError as error:
            await context.abort(
                grpc.StatusCode.UNKNOWN,
                f"cannot encode provider configuration to call ConfigureProvider: {error}",
            )
        except Refused as error:
            await context.abort(error.code, str(error))
        if (old := self._clients.get(context.peer())) is not None:
            await old.close()
        self._clients[context.peer()] = client
        answer = proto.ConfigureResponse(acceptResources=True, supportsPreview=True)
        answer.supports_autonaming_configuration = True
        return answer

    async def Check(self, request: proto.CheckRequest, context: Context) -> proto.CheckResponse:
        resource = await self._bridged(request.urn, context)
        said = values.read(request.news)
        try:
            config = encode(resource.attributes, said)
        except EncodeError as error:
            await context.abort(
                grpc.StatusCode.UNKNOWN,
                f"cannot encode resource inputs to call ValidateResourceConfig: {error}",
            )
        name = request.urn.rpartition("::")[2]
        found = [*faults(resource.attributes, config), *resource.further_faults(config)]
        return proto.CheckResponse(
            inputs=values.write(mark_secrets(resource.attributes, said)),
            failures=[proto.CheckFailure(reason=fault.of_resource(name)) for fault in found],
        )

    async def Diff(self, request: proto.DiffRequest, context: Context) -> proto.DiffResponse:
        resource = await self._bridged(request.urn, context)
        plan = await self._plan(resource, request, context)
        changed = plan.changed(resource.attributes)
        some, none = proto.DiffResponse.DIFF_SOME, proto.DiffResponse.DIFF_NONE
        return proto.DiffResponse(
            changes=some if changed else none,
            diffs=sorted(attribute.key for attribute in changed),
            replaces=sorted(a.key for a in resource.attributes if a.name in plan.replaces),
        )

    async def Create(self, request: proto.CreateRequest, context: Context) -> proto.CreateResponse:
        resource = await self._bridged(request.urn, context)
        config = await self._encoded(resource, values.read(request.properties), context)
        plan = make_plan(resource.attributes, None, config, resource.modify)
        await self._warn(resource, plan, request.urn, context)
        if request.preview:
            state = decode(resource.attributes, plan.planned)
            return proto.CreateResponse(properties=values.write(state))
        client = self._client(context)
        made = await self._do(resource.create(client, plan.planned), request, context)
        state = decode(resource.attributes, made)
        return proto.CreateResponse(id=str(made["id"]), properties=values.write(state))

    async def Update(self, request: proto.UpdateRequest, context: Context) -> proto.UpdateResponse:
        resource = await self._bridged(request.urn, context)
        plan = await self._plan(resource, request, context)
        await self._warn(resource, plan, request.urn, context)
        made = plan.planned
        if not request.preview:
            work = resource.update(self._client(context), plan.prior or {}, plan.planned)
            made = await self._do(work, request, context)
        return proto.UpdateResponse(properties=values.write(decode(resource.attributes, made)))

    async def Delete(self, request: proto.DeleteRequest, context: Context) -> empty_pb2.Empty:
        resource = await self._bridged(request.urn, context)
        state = await self._encoded(resource, values.read(request.properties), context)
        await self._do(resource.delete(self._client(context), state), request, context)
        return empty_pb2.Empty()

    async def Read(self, request: proto.ReadRequest, context: Context) -> proto.ReadResponse:
        resource = await self._bridged(request.urn, context)
        client, known = self._client(context), values.read(request.properties)
        if known:
            state = await self._encoded(resource, known, context)
        else:
            state = await self._do(resource.find(client, request.id), request, context)
        found = await self._do(resource.read(client, state), request, context)
        if found is None:
            await self._session(context).log(
                request.urn,
                WARNING,
                "[WARNING] The resource was not found on the server and will be removed from "
                "state.: Resource not found",
            )
            return proto.ReadResponse(properties=values.write({}), inputs=values.write({}))
        shown = decode(resource.attributes, found)
        inputs = (
            refreshed_inputs(values.read(request.inputs), shown)
            if known
            else imported_inputs(resource.attributes, shown)
        )
        return proto.ReadResponse(
            id=str(found["id"]), properties=values.write(shown), inputs=values.write(inputs)
        )

    async def Invoke(self, request: proto.InvokeRequest, context: Context) -> proto.InvokeResponse:
        function: BridgedFunction[Any] | None = self._bridge.functions.get(request.tok)
        if function is None:
            known = ", ".join(sorted(self._bridge.functions))
            await context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"{request.tok}: {self._double.introduction}, and has only {known}",
            )
        try:
            config = encode(function.inputs, values.read(request.args))
            found = [*faults(function.inputs, config), *function.further_faults(config)]
            if found:
                return proto.InvokeResponse(
                    **{"return": values.write({})},
                    failures=[
                        proto.CheckFailure(property=f.place, reason=f.of_function()) for f in found
                    ],
                )
            scope = Scope(self._session(context), "", None)
            result = await scope.unless_cancelled(function.call(self._client(context), config))
        except EncodeError as error:
            await context.abort(
                grpc.StatusCode.UNKNOWN,
                "cannot encode config to call ReadDataSource for "
                f"{quoted(self._upstream(request.tok))}: {error}",
            )
        except (Refused, Cancelled) as error:
            await context.abort(error.code, str(error))
        shown = decode((*function.inputs, *function.outputs), result)
        # Programs cannot take a secret from a function; the bridge unwraps what there is.
        bare = {key: plain(value) for key, value in shown.items()}
        return proto.InvokeResponse(**{"return": values.write(bare)})

    def _upstream(self, token: str) -> str:
        """Upstream's name of a function: `cloudflare_zone` of `getZone`."""
        return self._name + snake(token.rpartition(":")[2].removeprefix("get"))

    async def _bridged(self, urn: str, context: Context) -> BridgedResource[Any]:
        token = urn.split("::")[-2].rpartition("$")[2] if "::" in urn else urn
        resource = self._bridge.resources.get(token)
        if resource is None:
            known = ", ".join(sorted(self._bridge.resources))
            await context.abort(
                grpc.StatusCode.NOT_FOUND,
                f"Resource '{token.partition(':')[2]}' not found: "
                f"{self._double.introduction}, and has only {known}",
            )
        return resource

    async def _plan(
        self,
        resource: BridgedResource[Any],
        request: proto.DiffRequest | proto.UpdateRequest,
        context: Context,
    ) -> Plan:
        state, inputs = without_ignored(request)
        prior = await self._encoded(resource, state, context)
        config = await self._encoded(resource, inputs, context)
        return make_plan(resource.attributes, prior, config, resource.modify)

    async def _encoded(
        self, resource: BridgedResource[Any], properties: Properties, context: Context
    ) -> Tf:
        try:
            return encode(resource.attributes, properties)
        except EncodeError as error:
            await context.abort(grpc.StatusCode.UNKNOWN, str(error))

    async def _do(
        self,
        work: Awaitable[T],
        request: proto.CreateRequest
        | proto.UpdateRequest
        | proto.DeleteRequest
        | proto.ReadRequest,
        context: Context,
    ) -> T:
        timeout_s = 0.0 if isinstance(request, proto.ReadRequest) else request.timeout
        scope = await self._scope(request.urn, timeout_s, context)
        try:
            return await scope.unless_cancelled(work)
        except (Refused, Cancelled) as error:
            await context.abort(error.code, str(error))

    async def _warn(
        self, resource: BridgedResource[Any], plan: Plan, urn: str, context: Context
    ) -> None:
        for text in resource.warnings(plan):
            await self._session(context).log(urn, WARNING, text)

    def _client(self, context: Context) -> Any:  # noqa: ANN401 - the double's own type
        client = self._clients.get(context.peer())
        if client is None:
            client = self._clients[context.peer()] = self._bridge.connect(
                encode(self._bridge.config, {})
            )
        return client
