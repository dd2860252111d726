"""`connect`: cloudflared as a unit of its own; `disconnect`: stopped, and what is ours removed.

The answers: {"result": "changed" | "unchanged", "unit", "changed": [what]} and
{"result": "removed" | "absent", "unit", "removed": [what], "stays": [what]}.
"""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from . import account, files, lock, openpgp, packages, state, systemd
from .connector_document import Connect, Disconnect, Package
from .failure import StepFailed
from .host import Host, Ids
from .remove import leave
from .report import Report
from .state import State

STOP_LIMIT_S = 120
KEY_LIMIT_S = 30
LONGEST_RING = 1 << 20
UPDATE = ["-o", "Dir::Etc::sourceparts=-", "-o", "APT::Get::List-Cleanup=0"]


def connect(document: Connect, host: Host, report: Report) -> dict[str, Any]:
    """Make the connector what the document says; one that is so already is not disturbed."""
    unit = f"{document.unit}.service"
    with lock.held(host, document.unit, document.lock_limit_s, report):
        _demand_ours(document, host)
        systemd.demand_ours([unit], document.owner, host, _another(document))
        state.save(host, document.unit, State(owner=document.owner, units=[unit]))
        changed = _install(document.package, host, report)
        if account.ensure(document.user, str(Path(document.token_file).parent), host):
            changed.append(f"user {document.user}")
        ids = account.ids(document.user, host)
        changed += _token(document, ids, host)
        if systemd.write({unit: document.service}, host):
            systemd.reload(host)
            changed.append(unit)
        now = systemd.show([unit], host)[unit]
        if not now.enabled:
            systemd.enable([unit], host)
            changed.append("enabled")
        if changed or not now.is_active:
            _start(unit, document.start_limit_s, host, report)
            changed.append("restarted" if now.is_active else "started")
    return {
        "result": "changed" if changed else "unchanged",
        "unit": document.unit,
        "changed": changed,
    }


def disconnect(document: Disconnect, host: Host, report: Report) -> dict[str, Any]:
    """Stop the connector, which ends its open requests first, and remove what is ours."""
    unit = f"{document.unit}.service"
    with lock.held(host, document.unit, document.lock_limit_s, report):
        _demand_ours(document, host)
        text = files.read(systemd.file_of(unit, host)) or b""
        ours = [unit] if systemd.owner_of(text) == document.owner else []
        removed = systemd.remove(ours, STOP_LIMIT_S, host, report)
        token = host.at(document.token_file)
        if files.remove_tree(token):
            removed.append(document.token_file)
        files.remove_if_empty(token.parent)
        files.remove_tree(state.home(host, document.unit))
        leave(host, report)
    stays = [f"user {document.user}"] if host.account(document.user) else []
    return {
        "result": "removed" if removed else "absent",
        "unit": document.unit,
        "removed": removed,
        "stays": [*stays, "package cloudflared"],
    }


def _demand_ours(document: Disconnect, host: Host) -> None:
    memory = state.load(host, document.unit)
    if memory.owner and memory.owner != document.owner:
        raise StepFailed(
            f"connector {document.unit}: on this host it belongs to {memory.owner}",
            remedy=_another(document),
        )


def _another(document: Disconnect) -> str:
    free = "cloudflared-3" if document.unit == "cloudflared-2" else "cloudflared-2"
    return f"set cloudflare/connector/unit to another name, such as {free}"


def _token(document: Connect, ids: Ids, host: Host) -> list[str]:
    """The token, in a file that nobody but cloudflared's own user can read."""
    path = host.at(document.token_file)
    files.directory(path.parent, mode=0o755, ids=host.root_ids)
    wrote = files.write(path, document.token.encode(), mode=0o400, ids=ids)
    return ["token"] if wrote else []


def _start(unit: str, limit_s: float, host: Host, report: Report) -> None:
    report.say(f"starting {unit}")
    try:
        systemd.start(unit, limit_s, host)
    except StepFailed as failure:
        raise StepFailed(
            f"{unit} has not connected within {limit_s:g} s",
            detail=f"the last lines of {unit}:\n{systemd.journal(unit, host)}",
            remedy="the host must reach region1.v2.argotunnel.com and region2.v2.argotunnel.com "
            "on port 7844 (TCP or UDP); see what the lines above say, then run `pulumi up` again",
        ) from failure


def _install(package: Package, host: Host, report: Report) -> list[str]:
    """The package from its own repository, whose key is held to the one that is expected."""
    if not packages.missing([package.name], host):
        return []
    report.say(f"installing {package.name}")
    packages.ensure(["ca-certificates"], host)
    for path in (package.ring, package.list):
        files.directory(host.at(path).parent, mode=0o755, ids=host.root_ids)
    files.write(host.at(package.ring), _key(package), mode=0o644, ids=host.root_ids)
    files.write(host.at(package.list), package.source.encode(), mode=0o644, ids=host.root_ids)
    # This list alone: another source of the host that is broken must not keep it from working.
    only = ["-o", f"Dir::Etc::sourcelist={package.list}", *UPDATE]
    reached = f"check that the host reaches {package.source.split()[-3]}"
    with packages.alone(host):
        packages.update(host, *only, remedy=reached)
        try:
            packages.install([package.name], host)
        except StepFailed:
            # It may need what the host's own lists are too old for.
            packages.update(host)
            packages.install([package.name], host)
    return [f"package {package.name}"]


def _key(package: Package) -> bytes:
    """The one key of the ring that packages may be signed with."""
    try:
        with urllib.request.urlopen(package.key_url, timeout=KEY_LIMIT_S) as answer:  # noqa: S310
            ring = answer.read(LONGEST_RING)
    except (urllib.error.URLError, OSError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise StepFailed(
            f"{package.key_url}: cannot be fetched ({reason})",
            remedy="check that the host reaches it: `curl -v` it there",
        ) from error
    try:
        found = openpgp.keys(ring)
    except (ValueError, IndexError) as error:
        raise StepFailed(f"{package.key_url}: is no ring of OpenPGP keys ({error})") from error
    if package.fingerprint not in found:
        raise StepFailed(
            f"{package.key_url}: has no key {package.fingerprint}, but {', '.join(found)}; "
            "nothing was installed",
            remedy="Cloudflare may have exchanged its key: look for a newer berth, which names "
            "the new one, and check it on Cloudflare's own pages",
        )
    return found[package.fingerprint]
