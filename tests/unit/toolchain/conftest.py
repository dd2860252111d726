"""A machine of its own for each test: PATH, caches and home are empty but for stand-ins."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]

_FAKE_GO = """\
#!/bin/sh
echo "$*" >> "$FAKE_GO/calls"
case "$1" in
env)
    version=$(cat "$FAKE_GO/version")
    printf '{"GOVERSION":"%s","GOHOSTOS":"linux","GOHOSTARCH":"amd64"}\\n' "$version" ;;
list)
    if [ "$2" = -m ]; then echo "$FAKE_GO/module"; exit; fi
    printf 'example.org/a\\nexample.org/b\\n' ;;
build)
    env > "$FAKE_GO/environment"
    echo example.org/a
    echo $$ >> "$FAKE_GO/compiling"
    while [ -e "$FAKE_GO/hold" ]; do sleep 0.05; done
    if [ -e "$FAKE_GO/fails" ]; then cat "$FAKE_GO/fails"; exit 1; fi
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho built\\n' > "$2"
    chmod 755 "$2" ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """`bin` is first on PATH; `go` steers the Go there; `cache` and `home` are empty."""

    bin: Path
    go: Path
    cache: Path
    home: Path
    pulumi_home: Path

    def put_on_path(self, name: str, script: str, directory: Path | None = None) -> Path:
        path = (directory or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{textwrap.dedent(script)}")
        path.chmod(0o755)
        return path

    def calls(self, command: str) -> list[str]:
        """What the Go of this machine was asked to do, of one kind."""
        log = self.go / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if line.split()[0] == command]

    def install_plugin(self, name: str, version: str) -> Path:
        directory = self.pulumi_home / "plugins" / f"resource-{name}-v{version}"
        self.put_on_path(f"pulumi-resource-{name}", "echo theirs\n", directory)
        return directory

    def install_pulumi(self, version: str, *, host: bool = True) -> Path:
        directory = self.bin.parent / "theirs"
        # Like the real one, it writes into its home whenever it runs.
        script = f'mkdir -p "$PULUMI_HOME/logs"; echo > "$PULUMI_HOME/logs/$$"; echo v{version}\n'
        self.put_on_path("pulumi", script, directory)
        if host:
            self.put_on_path("pulumi-language-python", "exit 1\n", directory)
        os.environ["PATH"] = f"{directory}{os.pathsep}{os.environ['PATH']}"
        return directory / "pulumi"

    def start(self, home: Path | None = None) -> subprocess.Popen[str]:
        """Run `python -m lab.toolchain` beside the test."""
        return subprocess.Popen(
            [sys.executable, "-m", "lab.toolchain", "--home", str(home or self.home)],
            cwd=REPO,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(
        bin=tmp_path / "bin",
        go=tmp_path / "go",
        cache=tmp_path / "cache",
        home=tmp_path / "home",
        pulumi_home=tmp_path / "pulumi-home",
    )
    made.bin.mkdir()
    executor = made.go / "module" / "python" / "cmd" / "pulumi-language-python-exec"
    executor.parent.mkdir(parents=True)
    executor.write_text("#!/usr/bin/env python\n")
    (made.go / "version").write_text("go1.26.8")
    (made.bin / "go").write_text(_FAKE_GO)
    (made.bin / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("FAKE_GO", str(made.go))
    monkeypatch.setenv("BERTH_CACHE", str(made.cache))
    monkeypatch.setenv("PULUMI_HOME", str(made.pulumi_home))
    return made


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        limit = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < limit, "the condition did not come true within 20 s"
            time.sleep(0.02)

    return wait
