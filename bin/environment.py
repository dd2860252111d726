"""Makes the virtual environment of the lab and its tests, once, in the user's cache.

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
from typing import IO

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"


def cache_dir() -> Path:
    """The same rule as lab/paths.py, which cannot be imported yet."""
    if explicit := os.environ.get("BERTH_CACHE"):
        return Path(explicit).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).absolute() if base else Path.home() / ".cache") / "berth"


def key() -> str:
    """One name for all that decides what is in the environment."""
    digest = hashlib.sha256()
    for name in ("uv.txt", "dev.txt"):
        digest.update((REQUIREMENTS / name).read_bytes())
    digest.update(f"{sys.version} {platform.machine()} {sys.base_prefix}".encode())
    return digest.hexdigest()[:16]


def run(*command: str) -> None:
    """Run one installer quietly; its output is shown only when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout)
        sys.exit(
            f"berth: installing the Python packages failed ({command[0]}, exit code "
            f"{done.returncode}); the lines above say why. Run the same command again "
            "when the package index can be reached."
        )


def index_options(python: Path) -> list[str]:
    """uv does not read pip's configuration: hand it pip's index, if one is configured."""
    asked = subprocess.run(
        [python, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    return ["--default-index", asked.stdout.strip()] if asked.returncode == 0 else []


def trust_options() -> list[str]:
    """uv brings certificates of its own: let it trust what the machine trusts, as pip does."""
    there = sys.platform == "darwin" or Path("/etc/ssl/certs/ca-certificates.crt").exists()
    return ["--system-certs"] if there else []


def make(target: Path) -> None:
    """Make the environment at its final path; the mark is written last."""
    started = time.monotonic()
    print("berth: making the Python environment (once, about half a minute)", file=sys.stderr)
    shutil.rmtree(target, ignore_errors=True)
    venv.create(target, with_pip=True, symlinks=True)
    python = target / "bin" / "python"
    pip = (str(python), "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--require-hashes", "--quiet", "-r", str(REQUIREMENTS / "uv.txt"))
    uv = str(target / "bin" / "uv")
    run(
        uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode",
        *index_options(python), *trust_options(),
        "--python", str(python), str(REQUIREMENTS / "dev.txt"),
    )  # fmt: skip
    (target / ".complete").touch()
    print(f"berth: Python environment ready ({time.monotonic() - started:.0f} s)", file=sys.stderr)


def wait_for(lock: IO[str]) -> None:
    """Hold the lock; say so where somebody else is at it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("berth: another command makes the Python environment; waiting", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)


def main() -> None:
    try:
        target = cache_dir() / "venv" / key()
    except RuntimeError:
        sys.exit("berth: this user has no home directory; name a place in BERTH_CACHE")
    try:
        if not (target / ".complete").exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with (target.parent / f"{target.name}.lock").open("w") as lock:
                wait_for(lock)
                if not (target / ".complete").exists():
                    make(target)
    except OSError as error:
        sys.exit(
            f"berth: {error.filename or target}: {error.strerror}; put that right, "
            "or name another place for the cache in BERTH_CACHE"
        )
    except KeyboardInterrupt:
        sys.exit("berth: interrupted; the same command goes on from here")
    print(target / "bin" / "python")


if __name__ == "__main__":
    main()
