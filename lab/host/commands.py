"""Runs programs without blocking the lab; a failure is a GuestError with their last words."""

import asyncio
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.guests import GuestError

_LONG_S = 600.0


async def run(
    command: Sequence[str],
    *,
    named: str | None = None,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    limit_s: float = _LONG_S,
) -> str:
    """Standard output of `command`; raises GuestError when it fails or takes longer.

    The error starts with `named`, by default the name of the program.
    """
    prefix = f"{_name(command)}: " if named is None else named
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=directory,
        env=None if environment is None else dict(environment),
    )
    try:
        async with asyncio.timeout(limit_s):
            out, err = await process.communicate(stdin)
    except TimeoutError:
        raise GuestError(f"{prefix}not done after {limit_s:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise GuestError(prefix + (last_line(err) or f"exit code {process.returncode}"))
    return out.decode(errors="replace")


def last_line(output: bytes) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "")


_WRAPPERS = {"nsenter", "unshare"}


def _name(command: Sequence[str]) -> str:
    for word in command:
        if not word.startswith("-") and word not in _WRAPPERS and word != "slave":
            return word.rpartition("/")[2]
    return command[0]
