"""Releases in `releases/<id>`: staged beside, completed, then put in place by one rename."""

import os
from pathlib import Path

from . import environment, files, python, unpack
from .document import Deploy
from .host import Host
from .report import Report

COMPILE_LIMIT_S = 300


def name(document: Deploy, env_key: str) -> str:
    """The id: which code, with which environment."""
    return f"{document.archive.sha256[:12]}-{env_key[:8]}"


def stage(document: Deploy, held: int, host: Host, report: Report) -> tuple[Path, list[str]]:
    """The release and its environment, complete; gives its path and what had to be made.

    SendAgain where something must be made and the archive is not on the host.
    """
    archive = host.at(document.archive.path)
    interpreter = python.find(document.environment.python, host, report)
    env_key = environment.key(document, interpreter)
    env = environment.place(document, env_key, host)
    release = host.at(document.root) / "releases" / name(document, env_key)
    if release.is_dir() and environment.is_complete(env):
        made = ["release"] if _link_kept(document, release, host) else []
        return release, made
    unpack.demand(archive, document.archive.sha256, document.archive.send_again)
    made = []
    files.directory(host.at(document.root), mode=0o755, ids=host.root_ids)
    files.directory(release.parent, mode=0o755, ids=host.root_ids)
    staging = release.with_name(f".staging-{release.name}")
    files.remove_tree(staging)
    try:
        files.directory(staging, mode=0o755, ids=host.root_ids)
        number = unpack.unpack(archive, staging, host)
        report.say(f"staged release {release.name} ({number} files)")
        if not environment.is_complete(env):
            environment.build(
                document,
                env,
                source=staging,
                interpreter=interpreter,
                held=held,
                host=host,
                report=report,
            )
            made.append("environment")
        if not release.is_dir():
            _complete(document, staging, env, host)
            staging.rename(release)
            made.append("release")
    finally:
        files.remove_tree(staging)
    return release, made


def _complete(document: Deploy, staging: Path, env: Path, host: Host) -> None:
    """What a release has on top of its code: its environment, links, and byte code.

    The service cannot write byte code, so it is made here. A file that does not compile (a
    template, Python 2) is no harm until something imports it.
    """
    (staging / ".venv").symlink_to(Path("../../envs") / env.name)
    _link_kept(document, staging, host)
    host.ask(
        [str(env / "bin" / "python"), "-m", "compileall", "-q", "-x", r"\.venv", str(staging)],
        limit_s=COMPILE_LIMIT_S,
    )


def _link_kept(document: Deploy, release: Path, host: Host) -> bool:
    """Links from the release to the server's own files, which live in the install path."""
    root = host.at(document.root)
    changed = False
    for kept in document.server_only:
        path = release / kept
        if path.is_symlink() or not path.exists():
            files.directory(path.parent, mode=0o755, ids=host.root_ids)
            depth = len(path.relative_to(root).parts) - 1
            changed |= files.link(path, os.path.join(*[".."] * depth, kept))  # noqa: PTH118
    return changed
