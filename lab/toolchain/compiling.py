"""Compiles one pinned Go program into the store; what is there already is not compiled again."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from lab.errors import LabError
from lab.toolchain.golang import Go, build_environment
from lab.toolchain.jobs import CommandFailed, Jobs
from lab.toolchain.keys import contents, key_of
from lab.toolchain.memory import MemoryBudget, available_megabytes, collector
from lab.toolchain.pins import GoProgram
from lab.toolchain.progress import Task
from lab.toolchain.store import Store

MODULES = Path(__file__).with_name("go")
_OPTIONS = ("-trimpath",)
_LINKED = "-s -w"
_SHOWN_LINES = 15


def build_key(program: GoProgram, go: Go) -> str:
    """Changes with everything that the result depends on."""
    recipe = " ".join((*_OPTIONS, _LINKED))
    return key_of(recipe, repr(program), contents(MODULES / program.module), go.identity)


class Compiler:
    """Compiles with one Go, within one budget of memory."""

    def __init__(self, go: Go, store: Store, jobs: Jobs, budget: MemoryBudget) -> None:
        self._go = go
        self._store = store
        self._jobs = jobs
        self._budget = budget
        self._environment = collector(available_megabytes()) | build_environment(go)

    def provide(self, program: GoProgram, task: Task) -> Path:
        """Return the directory with the executable and what is taken along.

        Raises `LabError` when it does not compile.
        """
        return self._store.make(
            program.executable,
            build_key(program, self._go),
            lambda directory: self._build(program, directory, task),
            waits_for=lambda process: task.says(f"waiting for process {process}, which builds it"),
            stopped=self._jobs.stopped,
        )

    def _build(self, program: GoProgram, directory: Path, task: Task) -> None:
        with self._budget.reserve(
            program.peak_megabytes, waits=lambda: task.says("waiting for another build's memory")
        ):
            try:
                packages = self._packages(program, task)
                self._compile(program, directory / program.executable, packages, task)
                for module, path in program.taken_along:
                    taken = directory / Path(path).name
                    shutil.copyfile(self._module_directory(program, module) / path, taken)
                    taken.chmod(0o755)
            except CommandFailed as failure:
                raise LabError(_explained(program, failure)) from failure
        task.says("built")

    def _packages(self, program: GoProgram, task: Task) -> set[str]:
        """Fetch the sources, as a side effect of listing what will be compiled."""
        task.says("fetching its sources")
        found: set[str] = set()
        self._go_command(program, ["list", "-deps", program.package], found.add)
        return found

    def _compile(
        self, program: GoProgram, executable: Path, packages: set[str], task: Task
    ) -> None:
        task.says("compiling")
        compiled: set[str] = set()

        def count(line: str) -> None:
            if line in packages:
                compiled.add(line)
                task.counts(len(compiled), len(packages))

        linked = f"{_LINKED} -X {program.version_variable}={program.version}"
        options = ["-v", *_OPTIONS, "-ldflags", linked]
        self._go_command(
            program, ["build", *options, "-o", str(executable), program.package], count
        )

    def _module_directory(self, program: GoProgram, module: str) -> Path:
        lines: list[str] = []
        self._go_command(program, ["list", "-m", "-f", "{{.Dir}}", module], lines.append)
        return Path(lines[-1])

    def _go_command(
        self, program: GoProgram, arguments: list[str], on_line: Callable[[str], None]
    ) -> None:
        self._jobs.run(
            [str(self._go.command), *arguments],
            directory=MODULES / program.module,
            environment=self._environment,
            on_line=on_line,
        )


def _explained(program: GoProgram, failure: CommandFailed) -> str:
    # Package names tell how far it came, and downloads that it tried: not why it failed.
    lines = [line for line in failure.lines if " " in line and "go: downloading " not in line]
    said = "\n".join(f"    {line}" for line in (lines or failure.lines)[-_SHOWN_LINES:])
    return (
        f"toolchain: {program.title}: `{Path(failure.command[0]).name} {failure.command[1]}` "
        f"ended with {failure.code}:\n{said}\n{_remedy(program, said)}"
    )


def _remedy(program: GoProgram, said: str) -> str:
    if "signal: killed" in said or "cannot allocate memory" in said:
        return (
            f"It was killed, most likely for want of memory: it needs {program.peak_megabytes} MB, "
            f"{available_megabytes()} MB are free. Free some and try again."
        )
    if "no space left on device" in said:
        return (
            "The disk is full: free 6 GB where Go keeps its caches (`go env GOCACHE GOMODCACHE`), "
            "or name another place for them in GOCACHE and GOMODCACHE, and try again."
        )
    if any(sign in said for sign in ("dial tcp", "lookup ", "proxyconnect", "TLS handshake")):
        proxy = os.environ.get("GOPROXY", "what `go env GOPROXY` says")
        return (
            f"Its sources could not be fetched: check the connection, or GOPROXY "
            f"(now: {proxy}), and try again."
        )
    return (
        f"What is done so far is kept in Go's own caches: put the cause right and try again. "
        f"Its module is lab/toolchain/go/{program.module}."
    )
