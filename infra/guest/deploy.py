"""`deploy`: one step that stages, switches, gates and confirms. Killed anywhere, it can be run
again.

The answer: {"result": "changed" | "unchanged", "service", "release", "changed": [what],
"healthy_s": seconds from start to health, "seconds": all told, "missing": [server-only paths that
are not there yet]}.
"""

import time
from pathlib import Path
from typing import Any

from . import (
    account,
    environfile,
    files,
    kept,
    launcher_file,
    lock,
    packages,
    placed,
    state,
    systemd,
    tls,
)
from . import release as releases
from .document import Deploy
from .failure import StepFailed
from .host import Host
from .report import Report
from .state import State
from .switch import Switch, demand_free_port


def deploy(document: Deploy, host: Host, report: Report) -> dict[str, Any]:
    """Make the service what the document says; touches nothing where it is so already."""
    began, began_at = time.monotonic(), time.time()
    with lock.held(host, document.service, document.lock_limit_s, report) as held:
        memory = state.load(host, document.service)
        _demand_possible(document, memory, host)
        _remember(document, memory, host)
        changed = _account(document, host)
        own = [host.at(f"{document.root}/{path}") for path in document.server_only]
        kept.protect(own, host)
        before = kept.look(own)
        changed += _shared(document, memory, host, report)
        state.save(host, document.service, memory)
        release, made = releases.stage(document, held, host, report)
        changed += made
        changed += tls.place(document, host)
        try:
            done, healthy_s = Switch(document, release, memory, host, report).run()
        except StepFailed:
            state.save(host, document.service, memory)
            raise
        changed += done
        _tidy(document, release, memory, host, began_at)
        state.save(host, document.service, memory)
        kept.demand_unchanged(before, [host.at(path) for path in document.writable])
    return {
        "result": "changed" if changed else "unchanged",
        "service": document.service,
        "release": release.name,
        "changed": changed,
        "healthy_s": round(healthy_s, 3),
        "seconds": round(time.monotonic() - began, 3),
        "missing": [path for path in document.server_only if not (release / path).exists()],
    }


def _demand_possible(document: Deploy, memory: State, host: Host) -> None:
    """All that can be known to fail before anything changes."""
    if memory.owner and memory.owner != document.owner:
        raise StepFailed(
            f"service {document.service}: on this host it belongs to {memory.owner}",
            remedy="give the service another name, or remove it from that stack first",
        )
    systemd.demand_ours(list(document.units), document.owner, host)
    placed.demand_ours(document.root, memory.roots, host)
    environfile.demand_ours(document, memory.env_files, host)
    environfile.demand_distinct(document, host)
    demand_free_port(document, memory, host)
    tls.demand_good(document, host)


def _account(document: Deploy, host: Host) -> list[str]:
    """The user, and the directories that it writes to; those that are there stay as they are."""
    changed = []
    if account.ensure(document.user, document.root, host):
        changed.append(f"user {document.user}")
    ids = account.ids(document.user, host)
    return changed + [
        f"directory {path}"
        for path in document.writable
        if files.directory(host.at(path), mode=0o750, ids=ids, above=host.root_ids)
    ]


def _shared(document: Deploy, memory: State, host: Host, report: Report) -> list[str]:
    """Packages and the launcher: what all releases of the service share."""
    changed = []
    if wanted := packages.missing(document.packages, host):
        report.say(f"installing {', '.join(wanted)}")
        memory.packages += packages.ensure(wanted, host)
        changed += [f"package {name}" for name in wanted]
    if launcher_file.place(host, document.service):
        changed.append("launcher")
    return changed


def _remember(document: Deploy, memory: State, host: Host) -> None:
    """Note what is about to be placed, so that it is found whatever happens next."""
    memory.owner = document.owner
    memory.roots = _with(memory.roots, document.root)
    memory.env_files = _with(memory.env_files, document.env_file.path)
    memory.archives = _with(memory.archives, document.archive.path)
    memory.units = _with(memory.units, *document.units)
    memory.certificates = _with(memory.certificates, *tls.ours(document))
    state.save(host, document.service, memory)


def _with(names: list[str], *more: str) -> list[str]:
    return list(dict.fromkeys([*names, *more]))


def _tidy(document: Deploy, release: Path, memory: State, host: Host, began_at: float) -> None:
    """Remove what the confirmed release does not need: older ones, and what was moved away.

    An archive that came since this step began is there for the next one.
    """
    env = (release / ".venv").readlink().name
    _only(release.parent, release.name)
    _only(host.at(document.root) / "envs", env)
    archives = [document.archive.path]
    for path in _others(memory.archives, document.archive.path):
        if _came_since(host.at(path), began_at):
            archives.append(path)
        else:
            host.at(path).unlink(missing_ok=True)
    for root in _others(memory.roots, document.root):
        for part in ("current", "releases", "envs"):
            files.remove_tree(host.at(root) / part)
        files.remove_if_empty(host.at(root))
    for path in _others(memory.env_files, document.env_file.path):
        host.at(path).unlink(missing_ok=True)
        files.remove_if_empty(host.at(path).parent)
    tls.gone(memory.certificates, tls.ours(document), host)
    memory.certificates = tls.ours(document)
    memory.roots, memory.env_files = [document.root], [document.env_file.path]
    memory.units, memory.archives = list(document.units), archives


def _came_since(path: Path, moment: float) -> bool:
    return path.is_file() and path.stat().st_mtime >= moment


def _others(names: list[str], kept_name: str) -> list[str]:
    return [name for name in names if name != kept_name]


def _only(directory: Path, name: str) -> None:
    for entry in directory.iterdir():
        if entry.name != name:
            files.remove_tree(entry)
