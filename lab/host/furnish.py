"""Writes a container's own files into its root file system, chrooted, so that no link leads out.

Reads a list of steps (see `identity.py`) from standard input. Standard library only.
"""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.host.stage import STAGE

Step = dict[str, Any]
_MARKS = ("# --- BEGIN PVE ---", "# --- END PVE ---")


def furnish(root: Path, shift: int, steps: list[Step]) -> None:
    """Do `steps` in `root`, whose ids are `shift` away; RuntimeError with the first failure."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            os.chroot(root)
            os.chdir("/")
            os.umask(0)
            for step in steps:
                _do(step, shift)
        except BaseException as error:
            os.write(writer, (str(error) or type(error).__name__).encode())
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    os.waitpid(child, 0)
    if said:
        raise RuntimeError(said)


def _do(step: Step, shift: int) -> None:
    if "within" in step and not Path(step["within"]).is_dir():
        return
    kind = step["do"]
    if kind == "write":
        _write(Path(step["path"]), step["text"], step, shift)
    elif kind == "directory":
        _directory(Path(step["path"]), step, shift)
    elif kind == "block":
        path = Path(step["path"])
        _write(path, _with_block(_read(path), step["text"]), step, shift)
    elif kind == "append":
        _append(Path(step["path"]), step["text"])
    elif kind == "line":
        _set_line(Path(step["path"]), step["key"], step["text"])
    elif kind == "expect-one-of":
        if not any(os.path.lexists(path) for path in step["paths"]):
            raise RuntimeError(step["else"])
    else:
        raise ValueError(kind)


def _directory(path: Path, step: Step, shift: int) -> None:
    if not path.is_dir():
        path.mkdir()
        os.chown(path, shift + step.get("uid", 0), shift + step.get("gid", 0))
    path.chmod(step["mode"])


def _write(path: Path, text: str, step: Step, shift: int) -> None:
    if path.is_symlink():
        path.unlink()
    new = path.with_name(f"{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        os.fchown(descriptor, shift + step.get("uid", 0), shift + step.get("gid", 0))
        os.fchmod(descriptor, step.get("mode", 0o644))
        file.write(text)
    new.rename(path)


def _append(path: Path, text: str) -> None:
    """Add to a plain file that the template has; nothing where it has none."""
    if path.is_file() and not path.is_symlink():
        with path.open("a", encoding="utf-8") as file:
            file.write(text)


def _read(path: Path) -> str:
    if path.is_symlink() or not path.exists():
        return ""
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def _with_block(old: str, text: str) -> str:
    """`old` with the marked part replaced, or put in front: what others wrote is kept."""
    block = "\n".join([_MARKS[0], *text.splitlines(), _MARKS[1]]) + "\n"
    pattern = re.compile(f"{re.escape(_MARKS[0])}\n.*?{re.escape(_MARKS[1])}\n?", re.DOTALL)
    if pattern.search(old):
        return pattern.sub(lambda _: block, old, count=1)
    return block + old


def _set_line(path: Path, key: str, text: str) -> None:
    """Replace the line of `key` in a file like /etc/passwd, or add it; owner and mode stay."""
    if not path.is_file() or path.is_symlink():
        raise RuntimeError(f"the template has no plain file {path}")
    before = path.stat()
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [text if line.split(":", 1)[0] == key else line for line in lines]
    if text not in kept:
        kept.append(text)
    step = {"mode": stat.S_IMODE(before.st_mode), "uid": before.st_uid, "gid": before.st_gid}
    _write(path, "\n".join(kept) + "\n", step, shift=0)


def main() -> None:
    """`furnish IMAGE SHIFT`, in a private mount namespace."""
    image, shift = sys.argv[1], int(sys.argv[2])
    steps = json.load(sys.stdin)
    STAGE.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-o", "loop,discard", image, STAGE], check=True)
    try:
        furnish(STAGE, shift, steps)
    except RuntimeError as error:
        sys.exit(str(error))
    finally:
        subprocess.run(["umount", STAGE], check=True)


if __name__ == "__main__":
    main()
