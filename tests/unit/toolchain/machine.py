"""A stand-in for a machine: its PATH, its Go, its user's Pulumi."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

REPO = Path(__file__).resolve().parents[3]

FAKE_GO = """\
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


class Until(Protocol):
    """Waits until a condition holds; fails after a minute."""

    def __call__(self, condition: Callable[[], bool], /) -> None: ...
