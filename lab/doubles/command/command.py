"""`command:remote:Command`."""

from lab.doubles.command import schema
from lab.doubles.command.endpoint import Endpoint
from lab.doubles.command.state import (
    differences,
    new_id,
    readable,
    text_of,
    touched,
    unknown_outputs,
)
from lab.doubles.diff import Change
from lab.doubles.provider import Resource
from lab.doubles.session import Scope
from lab.doubles.shapes import Failure, failures, with_defaults, with_secrets
from lab.doubles.values import Properties, Value

_OUTPUTS = ("stdout", "stderr")


class Command(Resource):
    """Runs `create` when made, `update` or else `create` when changed, `delete` at the end."""

    def check(self, inputs: Properties) -> tuple[Properties, list[Failure]]:
        found = failures(schema.COMMAND_INPUTS, inputs)
        if not found:
            inputs = with_defaults(schema.COMMAND_INPUTS, inputs)
        return with_secrets(schema.COMMAND_INPUTS, inputs), found

    def diff(self, state: Properties, inputs: Properties) -> list[Change]:
        return differences(schema.COMMAND_INPUTS, state, inputs)

    def preview_create(self, name: str, inputs: Properties) -> tuple[str, Properties]:
        readable(schema.COMMAND_INPUTS, inputs, doing="invalid inputs: ")
        return new_id(name), {**inputs, **unknown_outputs(_OUTPUTS)}

    async def create(self, scope: Scope, name: str, inputs: Properties) -> tuple[str, Properties]:
        known = readable(schema.COMMAND_INPUTS, inputs, doing="invalid inputs: ")
        stdout, stderr = "", ""
        command = text_of(known, "create")
        if command is not None:
            stdout, stderr = await _run(scope, command, known)
        return new_id(name), {**inputs, "stdout": stdout, "stderr": stderr}

    def preview_update(self, urn: str, state: Properties, inputs: Properties) -> Properties:
        del urn
        before = readable(schema.COMMAND_OUTPUTS, state)
        readable(schema.COMMAND_INPUTS, inputs)
        if touched(schema.COMMAND_INPUTS, state, inputs):
            return {**inputs, **unknown_outputs(_OUTPUTS)}
        return {**inputs, **{key: before[key] for key in _OUTPUTS}}

    async def update(self, scope: Scope, state: Properties, inputs: Properties) -> Properties:
        before = readable(schema.COMMAND_OUTPUTS, state)
        known = readable(schema.COMMAND_INPUTS, inputs)
        command = text_of(known, "update")
        if command is None:
            command = text_of(known, "create")
        if command is None:
            return {**inputs, **{key: before[key] for key in _OUTPUTS}}
        outputs = {key: before[key] for key in _OUTPUTS}
        stdout, stderr = await _run(scope, command, {**known, **outputs})
        return {**inputs, "stdout": stdout, "stderr": stderr}

    async def delete(self, scope: Scope, state: Properties) -> None:
        known = readable(schema.COMMAND_OUTPUTS, state)
        command = text_of(known, "delete")
        if command is not None:
            await _run(scope, command, known)


async def _run(scope: Scope, command: str, known: dict[str, Value]) -> tuple[str, str]:
    """Run `command` with the rest of the resource's properties, `known`."""
    from lab.doubles.command.run import Job, run  # imports asyncssh

    connection, environment = known["connection"], known.get("environment")
    logging = known.get("logging")
    previous: dict[str, str] = {}
    if known.get("addPreviousOutputInEnv") is not False:
        variables = {name: text_of(known, name) for name in _OUTPUTS}
        previous = {f"PULUMI_COMMAND_{k.upper()}": v for k, v in variables.items() if v}
    job = Job(
        command=command,
        stdin=text_of(known, "stdin") or "",
        environment={k: v for k, v in environment.items() if isinstance(v, str)}
        if isinstance(environment, dict)
        else {},
        previous=previous,
        log_stdout=logging in {None, "stdout", "stdoutAndStderr"},
        log_stderr=logging in {None, "stderr", "stdoutAndStderr"},
    )
    endpoint = Endpoint.of(connection if isinstance(connection, dict) else {})
    return await run(scope, endpoint, job)
