"""Makes a stack file ready to run in the lab, without a byte written beside it."""

import fcntl
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.errors import LabError
from lab.paths import LabPaths
from lab.stack.copy import LabSide, lab_copy
from lab.stack.environment import Place, lab_environment

_FILE_NAME = re.compile(r"Pulumi\.(?P<stack>[A-Za-z0-9._-]+)\.ya?ml")


@dataclass(frozen=True)
class PreparedStack:
    """A stack that is there in the lab's state, and the environment to run commands on it."""

    name: str
    copy: Path
    backend: Path
    environment: dict[str, str]


def stack_name(stack_file: Path) -> str:
    """`prod` of `Pulumi.prod.yaml`; raises LabError for any other name."""
    if found := _FILE_NAME.fullmatch(stack_file.name):
        return found["stack"]
    raise LabError(
        f"{stack_file}: is no stack file by its name; Pulumi wants Pulumi.<stack>.yaml, "
        "for instance Pulumi.prod.yaml"
    )


def prepare_stack(
    paths: LabPaths,
    stack_file: Path,
    project: Path,
    side: LabSide,
    *,
    programs: tuple[Path, ...],
    caller: Mapping[str, str],
    say: Callable[[str], None],
) -> PreparedStack:
    """Make the stack's copy anew, and its state when there is none yet.

    `project` holds Pulumi.yaml; `programs` are directories for PATH; `say` takes a line that the
    person should read. Stack files of one name in two directories are two stacks of the lab, each
    with a state of its own, kept by the file's path. Raises LabError.
    """
    name = stack_name(stack_file)
    content = _read(stack_file)
    key = f"{name}-{hashlib.sha256(str(stack_file.resolve()).encode()).hexdigest()[:8]}"
    place = Place(
        paths=paths,
        programs=programs,
        stack=name,
        copy=paths.stacks / key / stack_file.name,
        backend=paths.backend / key,
    )
    place.copy.parent.mkdir(parents=True, exist_ok=True)
    place.backend.mkdir(parents=True, exist_ok=True)
    paths.pulumi_home.mkdir(parents=True, exist_ok=True)
    paths.scratch.mkdir(exist_ok=True)
    copy = lab_copy(content, side)
    environment = lab_environment(caller, place, side, copy.roles)
    with _alone(place.copy.with_name("lock")):
        _replace_copy(place.copy, copy.content, stack_file, say)
        _ensure_state(place, _project_name(project), environment)
    return PreparedStack(name, place.copy, place.backend, environment)


def _read(stack_file: Path) -> bytes:
    try:
        return stack_file.read_bytes()
    except OSError as error:
        raise LabError(
            f"{stack_file}: cannot be read ({error.strerror}); name a stack file with --stack"
        ) from error


def _project_name(project: Path) -> str:
    file = project / "Pulumi.yaml"
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LabError(f"{file}: cannot be read as a Pulumi project: {error}") from error
    name = document.get("name") if isinstance(document, dict) else None
    if not isinstance(name, str):
        raise LabError(f"{file}: names no project; it needs `name: berth`")
    return name


def _replace_copy(copy: Path, content: bytes, stack_file: Path, say: Callable[[str], None]) -> None:
    """Write the copy; tell when somebody changed the last one, which is lost with it."""
    mark = copy.with_name("written.sha256")
    if copy.exists() and mark.exists():
        found = hashlib.sha256(copy.read_bytes()).hexdigest()
        if found != mark.read_text():
            say(
                f"{stack_file}: a command changed the lab's copy of it, not the file itself; "
                "that change is gone now. Edit the file to change the stack; a secret is "
                "written there as `NAME: {secure: anything}`, and the lab puts a "
                "value of its own in its place."
            )
    _write(copy, content)
    _write(mark, hashlib.sha256(content).hexdigest().encode())


def _write(file: Path, content: bytes) -> None:
    scratch = file.with_name(f"{file.name}.new")
    scratch.touch(mode=0o600)
    scratch.write_bytes(content)
    scratch.replace(file)


def _ensure_state(place: Place, project: str, environment: dict[str, str]) -> None:
    state = place.backend / ".pulumi" / "stacks" / project / f"{place.stack}.json"
    if state.exists():
        return
    # `stack init` writes a stack file where it stands: it stands where that does no harm.
    with tempfile.TemporaryDirectory(dir=place.paths.root) as scratch:
        Path(scratch, "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
        own = {k: v for k, v in environment.items() if not k.startswith("PULUMI_OPTION_")}
        del own["PULUMI_STACK"]
        try:
            done = subprocess.run(
                ["pulumi", "stack", "init", place.stack, "--non-interactive"],
                cwd=scratch,
                env=own,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise LabError("pulumi: is not there; `bin/lab up` builds it") from error
    if done.returncode != 0:
        raise LabError(
            f"stack {place.stack}: pulumi could not make its state in {place.backend} "
            f"(exit code {done.returncode}):\n{done.stdout.strip()}"
        )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
