"""What came back from a public name, and which part of the way it speaks of. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from infra.settings.service import Health

SHOWN_BODY = 160
UNKNOWN_ORIGIN_NAME = "1016"


@dataclass(frozen=True)
class Answer:
    """`failed` names the step that did not succeed: `dns`, `connect`, `tls`, or None."""

    failed: str | None = None
    reason: str = ""
    status: int = 0
    headers: Mapping[str, str] | None = None
    body: bytes = b""


@dataclass(frozen=True)
class Trouble:
    """One of dns, edge, tunnel, origin certificate, origin, health; and what to do."""

    part: str
    text: str

    def but(self, more: str) -> "Trouble":
        """The same, with one more sentence."""
        return replace(self, text=f"{self.text}{'' if self.text[-1] in '.?' else '.'} {more}")


def judge(answer: Answer, hostname: str, health: Health | None) -> Trouble | None:
    """None where it is the answer that is wanted."""
    if answer.failed is not None:
        return _unreached(answer, hostname)
    if (trouble := _on_the_way(answer, hostname, health)) is not None:
        return trouble
    return None if health is None else unhealthy(answer, health)


def _on_the_way(answer: Answer, hostname: str, health: Health | None) -> Trouble | None:
    body = answer.body.decode(errors="replace").strip()
    if answer.status == 530:
        return _no_way(body)
    if answer.status == 404 and not body and health is not None:
        return Trouble(
            "tunnel",
            "the tunnel answers, and has no rule for this name (404 without a body): another "
            "program may have written its list; `pulumi refresh`, then `pulumi up`, puts the "
            "routes back",
        )
    if answer.status in {502, 504}:
        return Trouble("origin", f"cloudflared could not get an answer ({answer.status})")
    if answer.status in {520, 521, 522, 523, 524, 525, 526}:
        return Trouble(
            "dns",
            f"Cloudflare asks the origin by itself, not through the tunnel ({answer.status}): the "
            f"DNS record of {hostname} does not lead to the tunnel. `pulumi refresh`, then "
            "`pulumi up`, puts it right",
        )
    return None


def unhealthy(answer: Answer, health: Health) -> Trouble | None:
    """Whether it is what the service must answer to be well."""
    body = answer.body.decode(errors="replace").strip()
    if answer.status != health.status:
        return Trouble(
            "health",
            f"the service answers {health.path} with {answer.status} instead of "
            f"{health.status}{_after(body)}; see its journal",
        )
    if health.answer is None:
        return None
    try:
        found = json.loads(answer.body)
    except ValueError:
        return Trouble("health", f"the answer to {health.path} is no JSON{_after(body)}")
    if not holds(found, health.answer):
        wanted = json.dumps(health.answer)
        return Trouble("health", f"the answer to {health.path} is not {wanted}{_after(body)}")
    return None


def holds(found: object, wanted: object) -> bool:
    """Whether an answer has all that is wanted; objects may have more."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and holds(found[key], value) for key, value in wanted.items()
        )
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


def _unreached(answer: Answer, hostname: str) -> Trouble:
    if answer.failed == "dns":
        return Trouble(
            "dns",
            f"this machine finds no address for {hostname} ({answer.reason}). A name that was "
            "asked for before it was there is remembered as missing for up to half an hour: ask "
            f"another name server (dig @1.1.1.1 {hostname}); if that has none, look whether the "
            "zone is active at Cloudflare",
        )
    if answer.failed == "tls":
        return Trouble(
            "edge",
            f"the certificate that Cloudflare shows for {hostname} is not good ({answer.reason}). "
            "Its own covers the zone and one label below it; a deeper name needs an advanced "
            "certificate, and that of a new zone can take a quarter of an hour",
        )
    return Trouble(
        "edge",
        f"nothing answers at the address of {hostname} ({answer.reason}); does this machine reach "
        "other sites over HTTPS, and does the name lead to Cloudflare?",
    )


def _no_way(body: str) -> Trouble:
    if UNKNOWN_ORIGIN_NAME in body:
        return Trouble(
            "dns",
            "the DNS record leads to a tunnel that does not exist (530, error 1016); "
            "`pulumi refresh`, then `pulumi up`, puts it right",
        )
    return Trouble(
        "tunnel",
        "no connector of the tunnel is connected (530, error 1033): is cloudflared running, and "
        "does its host reach Cloudflare on port 7844?",
    )


def _after(body: str) -> str:
    return f": {_shown(body)}" if body else ""


def _shown(body: str) -> str:
    return " ".join(body.split())[:SHOWN_BODY]
