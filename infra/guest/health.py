"""The gate: a service counts as started when it has answered what it must."""

import http.client
import json
import ssl
import time
from collections.abc import Callable

from .document import Health
from .failure import StepFailed
from .report import Report

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
ANSWER_LIMIT_S = 5
SAY_EVERY_S = 5
LONGEST_BODY = 1 << 20
SHOWN_BODY = 200
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a service may listen on


def gate(
    health: Health,
    host: str,
    port: int,
    report: Report,
    broken: Callable[[], str | None],
    *,
    encrypted: bool = False,
) -> float:
    """Wait until the answer is right; gives the seconds that it took.

    StepFailed over the limit, or at once where `broken` says why it never will be.
    """
    began = time.monotonic()
    said = began
    pause = FIRST_PAUSE_S
    address = LOOPBACK.get(host, host)
    while True:
        problem = probe(health, address, port, encrypted=encrypted)
        now = time.monotonic()
        if problem is None:
            return now - began
        if (reason := broken()) is not None:
            raise StepFailed(f"health: {reason}; {health.path} said: {problem}")
        if now - began >= health.limit_s:
            raise StepFailed(
                f"health: {health.path} on {address} port {port} was not right within "
                f"{health.limit_s:g} s: {problem}"
            )
        if now - said >= SAY_EVERY_S:
            report.say(f"health: {problem} ({now - began:.0f} s of {health.limit_s:g} s)")
            said = now
        time.sleep(min(pause, max(0.0, began + health.limit_s - now)))
        pause = min(pause * 1.5, LONGEST_PAUSE_S)


def probe(health: Health, address: str, port: int, *, encrypted: bool = False) -> str | None:
    """Ask once: None where the answer is right, else what is wrong with it."""
    connection = _connection(address, port, encrypted=encrypted)
    try:
        connection.request("GET", health.path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read(LONGEST_BODY)
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({error or type(error).__name__})"
    finally:
        connection.close()
    if response.status != health.status:
        return f"status {response.status} instead of {health.status}{_shown(body)}"
    if health.json is None:
        return None
    try:
        answered = json.loads(body)
    except ValueError:
        return f"no JSON{_shown(body)}"
    if not holds(answered, health.json):
        return f"not {json.dumps(health.json)}{_shown(body)}"
    return None


def _connection(address: str, port: int, *, encrypted: bool) -> http.client.HTTPConnection:
    if not encrypted:
        return http.client.HTTPConnection(address, port, timeout=ANSWER_LIMIT_S)
    # It is asked on this host, under an address that its certificate need not name.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address, port, timeout=ANSWER_LIMIT_S, context=context)


def holds(answered: object, wanted: object) -> bool:
    """True where the answer has all that is wanted; objects may have more."""
    if isinstance(wanted, dict):
        return isinstance(answered, dict) and all(
            key in answered and holds(answered[key], value) for key, value in wanted.items()
        )
    return isinstance(answered, bool) == isinstance(wanted, bool) and bool(answered == wanted)


def _shown(body: bytes) -> str:
    text = body.decode(errors="replace").strip()
    return f": {text[:SHOWN_BODY]}" if text else ""
