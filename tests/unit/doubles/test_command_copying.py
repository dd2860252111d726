"""Copies that run side by side do not fail each other."""

from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest

from lab.doubles.command.copying import Copier


class Shared:
    """Not a server: somebody else always makes the directory a moment before us."""

    def __init__(self) -> None:
        self.directories = {"/"}
        self.files: dict[str, bytes] = {}

    async def stat(self, path: str) -> Any:
        if path in self.directories:
            return SimpleNamespace(type=asyncssh.FILEXFER_TYPE_DIRECTORY)
        raise asyncssh.SFTPNoSuchFile("no such file")

    async def mkdir(self, path: str) -> None:
        self.directories.add(path)
        raise asyncssh.SFTPFailure("Failure")


async def test_a_directory_that_another_copy_makes_meanwhile_will_do() -> None:
    there = Shared()
    await Copier(there)._make_parents("/var/lib/berth/incoming/a.tar.gz")  # type: ignore[arg-type]
    assert "/var/lib/berth/incoming" in there.directories


async def test_a_directory_that_cannot_be_made_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Shared()

    async def mkdir(_path: str) -> None:
        raise asyncssh.SFTPFailure("Failure")

    monkeypatch.setattr(there, "mkdir", mkdir)
    with pytest.raises(Exception, match="failed to create parent directories for /x/a"):
        await Copier(there)._make_parents("/x/a")  # type: ignore[arg-type]
