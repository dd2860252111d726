"""Makes the virtual environment for development once, in the user's cache.

Standard library only: it runs before anything is installed. Prints the interpreter's path.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements-dev.txt"


def cache_dir() -> Path:
    """`BERTH_CACHE`, else `$XDG_CACHE_HOME/berth`, else `~/.cache/berth`."""
    if explicit := os.environ.get("BERTH_CACHE"):
        return Path(explicit).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "berth"


def key() -> str:
    """One name for all that decides what is in the environment."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes())
    digest.update(f"{sys.version} {platform.machine()} {sys.base_prefix}".encode())
    return digest.hexdigest()[:16]


def make(target: Path) -> None:
    """Make the environment where it stays, since it cannot be moved; the mark comes last."""
    print("app: making the Python environment (once, about half a minute)", file=sys.stderr)
    began = time.monotonic()
    shutil.rmtree(target, ignore_errors=True)
    venv.create(target, with_pip=True, symlinks=True)
    python = str(target / "bin" / "python")
    install = [python, "-m", "pip", "install", "--require-hashes", "--quiet"]
    done = subprocess.run(
        [*install, "--disable-pip-version-check", "-r", str(REQUIREMENTS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout)
        sys.exit("app: installing the Python packages failed; the lines above say why")
    (target / ".complete").touch()
    print(f"app: Python environment ready ({time.monotonic() - began:.0f} s)", file=sys.stderr)


def main() -> None:
    target = cache_dir() / "app" / key()
    if not (target / ".complete").exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("app: waiting for another run that makes the environment", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
            if not (target / ".complete").exists():
                make(target)
    print(target / "bin" / "python")


if __name__ == "__main__":
    main()
