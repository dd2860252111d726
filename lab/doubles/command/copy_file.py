"""`command:remote:CopyFile`, deprecated by CopyToRemote: every change replaces it."""

import grpc  # type: ignore[import-untyped]

from lab.doubles.command import schema
from lab.doubles.command.endpoint import Endpoint
from lab.doubles.command.state import differences, new_id, readable, text_of
from lab.doubles.diff import Change
from lab.doubles.provider import Refused, Resource
from lab.doubles.session import Scope
from lab.doubles.shapes import Failure, failures, with_defaults, with_secrets
from lab.doubles.values import Properties


class CopyFile(Resource):
    """Copies one file to exactly one path; makes no directories."""

    def check(self, inputs: Properties) -> tuple[Properties, list[Failure]]:
        found = failures(schema.COPY_FILE_INPUTS, inputs)
        if not found:
            inputs = with_defaults(schema.COPY_FILE_INPUTS, inputs)
        return with_secrets(schema.COPY_FILE_INPUTS, inputs), found

    def diff(self, state: Properties, inputs: Properties) -> list[Change]:
        return [
            Change(change.path, change.top, change.kind.as_replace())
            for change in differences(schema.COPY_FILE_INPUTS, state, inputs)
        ]

    def preview_create(self, name: str, inputs: Properties) -> tuple[str, Properties]:
        del name
        readable(schema.COPY_FILE_INPUTS, inputs, doing="invalid inputs: ")
        return "", inputs

    async def create(self, scope: Scope, name: str, inputs: Properties) -> tuple[str, Properties]:
        from lab.doubles.command.copying import copier  # imports asyncssh

        del name
        known = readable(schema.COPY_FILE_INPUTS, inputs, doing="invalid inputs: ")
        connection = known["connection"]
        endpoint = Endpoint.of(connection if isinstance(connection, dict) else {})
        source, target = text_of(known, "localPath") or "", text_of(known, "remotePath") or ""
        async with copier(scope, endpoint) as to:
            await to.file(source, target, doing="")
        return new_id(), inputs

    def preview_update(self, urn: str, state: Properties, inputs: Properties) -> Properties:
        del state, inputs
        raise _no_update(urn)

    async def update(self, scope: Scope, state: Properties, inputs: Properties) -> Properties:
        del state, inputs
        raise _no_update(scope.urn)

    async def delete(self, scope: Scope, state: Properties) -> None:
        """Leaves the copy where it is, as the real plugin does."""


def _no_update(urn: str) -> Refused:
    return Refused(f"Update is not implemented for resource {urn}", grpc.StatusCode.UNIMPLEMENTED)
