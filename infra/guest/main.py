"""The command line of the guest program: one verb, the document on stdin, the answer on stdout."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

from . import document as documents
from .connector import connect, disconnect
from .connector_document import read_connect, read_disconnect
from .deploy import deploy
from .failure import BadDocument, StepFailed
from .host import Host
from .remove import remove, status
from .report import Report

VERBS = ("deploy", "remove", "status", "connect", "disconnect")


def main(arguments: Sequence[str], host: Host | None = None) -> int:
    """Run one verb to its end; the exit code says how it ended (see the package)."""
    # A step that has begun goes to its end, also when the engine that asked for it is gone.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _over_time)
    os.umask(0o022)
    report = Report([])
    try:
        if len(arguments) != 1 or arguments[0] not in VERBS:
            raise BadDocument(f"one of {', '.join(VERBS)} is expected, got {list(arguments)}")
        given = _read()
        report = Report(_secrets(given))
        answer = _run(arguments[0], given, host or Host(), report)
    except StepFailed as failure:
        report.fail(f"{' '.join(arguments)}: {failure.text()}")
        return failure.exit_code
    except OSError as error:
        report.fail(f"{arguments[0]}: {StepFailed.of(error).text()}")
        return StepFailed.exit_code
    try:
        print(report.mask(json.dumps(answer)), flush=True)
    except OSError:
        # The work is done; an engine that is gone asks again and is told "unchanged".
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _over_time(_number: int, _frame: FrameType | None) -> NoReturn:
    raise StepFailed(
        "the step took longer than its limit and was ended",
        remedy="run `pulumi up` again: it goes on from what is there",
    )


def _run(verb: str, given: object, host: Host, report: Report) -> dict[str, Any]:
    if verb == "deploy":
        return deploy(documents.read_deploy(given), host, report)
    if verb == "connect":
        return connect(read_connect(given), host, report)
    if verb == "disconnect":
        return disconnect(read_disconnect(given), host, report)
    named = documents.read_named(given)
    return remove(named, host, report) if verb == "remove" else status(named, host)


def _read() -> object:
    try:
        return json.loads(sys.stdin.buffer.read())
    except ValueError as error:
        raise BadDocument(f"document: no JSON on stdin ({error})") from None


def _secrets(given: object) -> list[str]:
    secrets = given.get("secrets", []) if isinstance(given, dict) else []
    return [secret for secret in secrets if isinstance(secret, str)]
