"""`command:remote:CopyToRemote`."""

import hashlib

from lab.doubles.command import schema
from lab.doubles.command.endpoint import Endpoint
from lab.doubles.command.state import differences, new_id, readable, text_of
from lab.doubles.diff import Change
from lab.doubles.provider import Refused, Resource
from lab.doubles.session import Scope
from lab.doubles.shapes import Failure, failures, with_defaults, with_secrets
from lab.doubles.values import UNKNOWN, Archive, Asset, Properties, Value, plain

_EMPTY_TEXT = hashlib.sha256(b"").hexdigest()


class CopyToRemote(Resource):
    """Copies a file, a text or a directory when made, and again when content or path change."""

    def check(self, inputs: Properties) -> tuple[Properties, list[Failure]]:
        found = failures(schema.COPY_TO_REMOTE_INPUTS, inputs)
        if not found:
            inputs = with_defaults(schema.COPY_TO_REMOTE_INPUTS, inputs)
        return with_secrets(schema.COPY_TO_REMOTE_INPUTS, inputs), [
            *found,
            *_refuse_source(plain(inputs.get("source"))),
        ]

    def diff(self, state: Properties, inputs: Properties) -> list[Change]:
        return differences(schema.COPY_TO_REMOTE_INPUTS, state, inputs)

    def preview_create(self, name: str, inputs: Properties) -> tuple[str, Properties]:
        del name
        readable(schema.COPY_TO_REMOTE_INPUTS, inputs, doing="invalid inputs: ")
        return "", {**inputs, "source": UNKNOWN}

    async def create(self, scope: Scope, name: str, inputs: Properties) -> tuple[str, Properties]:
        del name
        await _copy(scope, readable(schema.COPY_TO_REMOTE_INPUTS, inputs, doing="invalid inputs: "))
        return new_id(), inputs

    def preview_update(self, urn: str, state: Properties, inputs: Properties) -> Properties:
        del urn
        readable(schema.COPY_TO_REMOTE_OUTPUTS, state)
        readable(schema.COPY_TO_REMOTE_INPUTS, inputs)
        return {**inputs, "source": UNKNOWN}

    async def update(self, scope: Scope, state: Properties, inputs: Properties) -> Properties:
        before = readable(schema.COPY_TO_REMOTE_OUTPUTS, state)
        known = readable(schema.COPY_TO_REMOTE_INPUTS, inputs)
        if known["source"] != before["source"] or known["remotePath"] != before["remotePath"]:
            await _copy(scope, known)
        return inputs

    async def delete(self, scope: Scope, state: Properties) -> None:
        """Leaves the copy where it is, as the real plugin does."""


def _refuse_source(source: Value) -> list[Failure]:
    match source:
        case Asset() if source.path or source.text or source.hash == _EMPTY_TEXT:
            return []
        case Asset():
            return [Failure("asset", "asset must be a path-based file asset or a text asset")]
        case Archive() if not source.path:
            return [Failure("archive", "archive must be a path to a file or directory")]
        case Archive():
            return []
    if source == UNKNOWN:
        return []
    return [Failure("asset", "either asset or archive must be set")]


async def _copy(scope: Scope, known: dict[str, Value]) -> None:
    from lab.doubles.command.copying import copier  # imports asyncssh

    connection, source = known["connection"], known["source"]
    target = text_of(known, "remotePath") or ""
    if not isinstance(source, Asset | Archive):
        raise Refused("source: is not known, in a run that is no preview")
    if refused := _refuse_source(source):
        raise Refused(refused[0].reason)
    endpoint = Endpoint.of(connection if isinstance(connection, dict) else {})
    async with copier(scope, endpoint) as to:
        if source.path:
            await to.path(source.path, target)
        elif isinstance(source, Asset):
            await to.text(source.text, target)
