"""The host as the guest program sees it: paths, accounts, commands. Tests put a tree there."""

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .failure import StepFailed

CLONE_NEWNS = 0x00020000
TAIL_LINES = 20


@dataclass(frozen=True)
class Ids:
    """Numbers of an account."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Result:
    """What a command answered; `output` is stdout, `errors` stderr."""

    code: int
    output: str
    errors: str

    @property
    def tail(self) -> str:
        """The last lines of both, for a message."""
        lines = (self.output + "\n" + self.errors).strip().splitlines()
        return "\n".join(lines[-TAIL_LINES:])


@dataclass(frozen=True)
class Host:
    """A machine whose tree begins at `root`; its processes are below `proc`."""

    root: Path = Path("/")
    proc: Path = Path("/proc")
    root_ids: Ids = field(default=Ids(0, 0))

    def at(self, path: str | Path) -> Path:
        """Where an absolute path of the host really is."""
        return self.root / str(path).lstrip("/")

    def account(self, user: str) -> Ids | None:
        """The numbers of a user and its own group, None where there is no such user."""
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            return None
        return Ids(entry.pw_uid, entry.pw_gid)

    def own_mounts(self) -> None:
        """From now on, what this process and its children mount is seen by them alone."""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) != 0:
            problem = os.strerror(ctypes.get_errno())
            raise StepFailed(
                f"cannot make a mount namespace to protect the server's files: {problem}",
                remedy="a container needs `nesting: true`",
            )

    def ask(
        self,
        argv: Sequence[str],
        *,
        limit_s: float = 60,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        keep: Sequence[int] = (),
    ) -> Result:
        """Run a command to its end, whatever that is. `keep` are descriptors it inherits.

        A command that is over its limit is ended with all its children: StepFailed.
        """
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env={**os.environ, **(environment or {})},
                cwd=directory,
                pass_fds=tuple(keep),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise StepFailed(
                f"{argv[0]}: not on this host",
                remedy="berth needs a Debian-like host with systemd",
            ) from error
        with process:
            try:
                output, errors = process.communicate(timeout=limit_s)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                output, errors = process.communicate()
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                raise StepFailed(
                    f"{' '.join(argv[:3])}: not done after {limit_s:.0f} s",
                    detail=Result(-1, output, errors).tail,
                ) from error
        return Result(process.returncode, output, errors)

    def run(
        self,
        argv: Sequence[str],
        *,
        limit_s: float = 60,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        keep: Sequence[int] = (),
        remedy: str = "",
    ) -> str:
        """Run a command that must succeed, and give its stdout; StepFailed shows its last lines."""
        result = self.ask(
            argv, limit_s=limit_s, environment=environment, directory=directory, keep=keep
        )
        if result.code != 0:
            raise StepFailed(
                f"{' '.join(argv[:4])}: ended with status {result.code}",
                detail=result.tail,
                remedy=remedy,
            )
        return result.output
