"""Python environments in `envs/<key>`: built once, at their final path, from hashes only."""

import hashlib
import json
from pathlib import Path

from . import files, uv
from .document import Deploy
from .failure import StepFailed
from .host import Host
from .python import Interpreter
from .report import Report

BUILD_LIMIT_S = 1200
COMPLETE = ".complete"
REMEDIES = (
    (
        "Python requirement",
        (
            "the Python here is {version}: name one in `python` that the project takes and that "
            "this host has, or install one on it"
        ),
    ),
    (
        "the current platform",
        (
            "there is no wheel for this machine and Python {version}: name another `python`, or "
            "set `build_from_source: true`"
        ),
    ),
    ("No space left", "make room on the host (`df -h`), then run `pulumi up` again"),
    ("Git executable not found", "add git to `packages`"),
    ("hash", "make the lock anew (`uv lock`, or compile it again) and deploy again"),
    ("error sending request", uv.INDEX_REMEDY),
    ("Could not connect", uv.INDEX_REMEDY),
)


def key(document: Deploy, interpreter: Interpreter) -> str:
    """What makes two environments the same: lock, interpreter and build settings.

    An environment that the project itself is installed into belongs to one archive.
    """
    wanted = document.environment
    parts = [
        wanted.file.rpartition("/")[2],
        wanted.sha256,
        wanted.package,
        interpreter.path,
        interpreter.version,
        interpreter.machine,
        sorted(wanted.extras),
        wanted.build_from_source,
        document.archive.sha256 if wanted.install_project else None,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def place(document: Deploy, env_key: str, host: Host) -> Path:
    """Where an environment lives."""
    return host.at(document.root) / "envs" / env_key


def is_complete(home: Path) -> bool:
    """True where it was built to its end."""
    return (home / COMPLETE).is_file()


def build(
    document: Deploy,
    home: Path,
    *,
    source: Path,
    interpreter: Interpreter,
    held: int,
    host: Host,
    report: Report,
) -> None:
    """Build it from the lock in `source`; what a step before left half-made goes first."""
    lock_file = source / document.environment.file
    if not lock_file.is_file():
        raise StepFailed(f"{document.environment.file}: not in the archive")
    program = str(uv.ensure(host, report))
    report.say(f"building environment {home.name} with Python {interpreter.version}")
    files.remove_tree(home)
    files.directory(home.parent, mode=0o755, ids=host.root_ids)
    surroundings = uv.surroundings(host) | {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_COMPILE_BYTECODE": "1",
        "UV_PROJECT_ENVIRONMENT": str(home),
        "VIRTUAL_ENV": str(home),
    }
    try:
        for command in _commands(document, program, home, lock_file, interpreter):
            host.run(
                command,
                limit_s=BUILD_LIMIT_S,
                environment=surroundings,
                directory=lock_file.parent,
                keep=[held],
            )
        # uv lets everybody write to its lock, and a service must not write to what it runs on.
        (home / ".lock").unlink(missing_ok=True)
        (home / COMPLETE).touch()
    except BaseException as error:
        files.remove_tree(home)
        if isinstance(error, StepFailed) and not error.remedy:
            error.remedy = remedy(error.detail, interpreter)
        raise


def remedy(said: str, interpreter: Interpreter) -> str:
    """What to do, by what uv said."""
    return next(
        (text.format(version=interpreter.version) for sign, text in REMEDIES if sign in said),
        f"if the message speaks of the network: {uv.INDEX_REMEDY}; if it speaks of the lock: make "
        f"it anew (`uv lock`) and deploy again",
    )


def _commands(
    document: Deploy, program: str, home: Path, lock_file: Path, interpreter: Interpreter
) -> list[list[str]]:
    wanted = document.environment
    no_build = [] if wanted.build_from_source or wanted.install_project else ["--no-build"]
    if lock_file.name == "uv.lock":
        extras = [part for extra in wanted.extras for part in ("--extra", extra)]
        project = ["--no-editable"] if wanted.install_project else ["--no-install-workspace"]
        member = ["--package", wanted.package] if wanted.package else []
        sync = [program, "sync", "--frozen", "--no-default-groups", *member]
        return [[*sync, "--python", interpreter.path, *project, *extras, *no_build]]
    install = [program, "pip", "install", "--python", str(home / "bin" / "python")]
    commands = [
        [program, "venv", "--no-project", "--python", interpreter.path, str(home)],
        [*install, "--require-hashes", *no_build, "-r", str(lock_file)],
    ]
    if wanted.install_project:
        commands.append([*install, "--no-deps", str(lock_file.parent)])
    return commands
