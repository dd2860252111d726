"""Copies files to a host over SFTP, with the real plugin's rules and words."""

import posixpath
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh

from lab.doubles.command import go_text
from lab.doubles.command.dial import connected, rejected
from lab.doubles.command.endpoint import Endpoint
from lab.doubles.provider import Refused
from lab.doubles.session import Scope

_CHUNK = 4 * 1024 * 1024
_STATUS_NAMES = {
    asyncssh.FX_FAILURE: ("Failure", "SSH_FX_FAILURE"),
    asyncssh.FX_BAD_MESSAGE: ("Bad message", "SSH_FX_BAD_MESSAGE"),
    asyncssh.FX_OP_UNSUPPORTED: ("Operation unsupported", "SSH_FX_OP_UNSUPPORTED"),
    asyncssh.FX_NO_CONNECTION: ("No connection", "SSH_FX_NO_CONNECTION"),
    asyncssh.FX_CONNECTION_LOST: ("Connection lost", "SSH_FX_CONNECTION_LOST"),
}


@asynccontextmanager
async def copier(scope: Scope, endpoint: Endpoint) -> AsyncIterator["Copier"]:
    """SFTP on `endpoint`. Raises Refused or Cancelled."""
    async with connected(scope, endpoint) as connection:
        try:
            sftp = await connection.start_sftp_client()
        except asyncssh.ChannelOpenError as error:
            if error.code == asyncssh.OPEN_REQUEST_SESSION_FAILED:
                raise Refused("ssh: subsystem request failed") from None
            raise Refused(rejected(error)) from None
        async with sftp:
            yield Copier(sftp)


class Copier:
    """One SFTP session. Everything raises Refused."""

    def __init__(self, sftp: asyncssh.SFTPClient) -> None:
        self._sftp = sftp

    async def path(self, source: str, target: str) -> None:
        """Copy a local file or directory.

        A directory lands in `target` under its own name, or, with a slash at its end, its content
        does. A file lands at `target`, or inside where that is a directory. Parents are made.
        """
        _check_readable(source)
        found = await self._is_directory(target)
        if Path(source).is_dir():
            await self._directory(source, target, found=found)
            return
        if found:
            target = _join(target, _base(source))
        elif found is None:
            await self._make_parents(target)
        await self.file(source, target)

    async def text(self, content: str, target: str) -> None:
        """Write `content` to the file `target`; parents are made."""
        if await self._is_directory(target):
            raise Refused(
                f"remote path {target} is a directory; "
                "when using a text asset, remotePath must be a file path"
            )
        await self._make_parents(target)
        await self._write(f"failed to create remote file {target}: ", target, [content.encode()])

    async def file(self, source: str, target: str, *, doing: str | None = None) -> None:
        """Copy one file to exactly `target`. `doing` begins the text of a failure there."""
        _check_readable(source)
        if doing is None:
            doing = f"failed to create remote file {target}: "
        await self._write(doing, target, _chunks(source, target))

    async def _directory(self, source: str, target: str, *, found: bool | None) -> None:
        if found is None:
            try:
                await self._make_all(target)
            except _Said as error:
                text = f"failed to create remote directory {target}: {error}"
                raise Refused(text) from None
        if not source.endswith("/"):
            target = _join(target, _base(source))
            await self._make_directory(target)
        for local, relative, is_directory in _walk(Path(source)):
            remote = _join(target, relative)
            if is_directory:
                await self._make_directory(remote)
            else:
                await self.file(str(local), remote)

    async def _make_directory(self, path: str) -> None:
        found = await self._is_directory(path)
        if found is None:
            try:
                await self._sftp.mkdir(path)
            except asyncssh.SFTPError as error:
                raise Refused(f"failed to create remote directory {path}: {_said(error)}") from None
        elif not found:
            raise Refused(f"remote path {path} exists but is not a directory")

    async def _make_parents(self, path: str) -> None:
        try:
            await self._make_all(_parent(path))
        except _Said as error:
            text = f"failed to create parent directories for {path}: {error}"
            raise Refused(text) from None

    async def _make_all(self, path: str) -> None:
        try:
            found = await self._sftp.stat(path)
        except asyncssh.SFTPError:
            parent = path.rstrip("/").rpartition("/")[0]
            if parent:
                await self._make_all(parent)
            try:
                await self._sftp.mkdir(path)
            except asyncssh.SFTPError as error:
                # Another copy may have made it meanwhile.
                if not await self._is_there(path):
                    raise _Said(_said(error)) from None
        else:
            if found.type != asyncssh.FILEXFER_TYPE_DIRECTORY:
                raise _Said(f"mkdir {path}: not a directory")

    async def _is_there(self, path: str) -> bool:
        try:
            found = await self._sftp.stat(path)
        except asyncssh.SFTPError:
            return False
        return found.type == asyncssh.FILEXFER_TYPE_DIRECTORY

    async def _is_directory(self, path: str) -> bool | None:
        """None where nothing is."""
        try:
            found = await self._sftp.stat(path)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        except asyncssh.SFTPError as error:
            raise Refused(f"failed to stat remote path {path}: {_said(error)}") from None
        return found.type == asyncssh.FILEXFER_TYPE_DIRECTORY

    async def _write(
        self, doing: str, target: str, chunks: "Iterator[bytes] | list[bytes]"
    ) -> None:
        try:
            remote = await self._sftp.open(target, "wb")
        except asyncssh.SFTPError as error:
            raise Refused(f"{doing}{_said(error)}") from None
        try:
            async with remote:
                for chunk in chunks:
                    await remote.write(chunk)
        except asyncssh.SFTPError as error:
            raise Refused(f"failed to copy to remote path {target}: {_said(error)}") from None


class _Said(Exception):  # noqa: N818 - the server's words, to be completed
    """What the server said, before it is known what was attempted."""


def _said(error: asyncssh.SFTPError) -> str:
    match error:
        case asyncssh.SFTPNoSuchFile() | asyncssh.SFTPNoSuchPath():
            return "file does not exist"
        case asyncssh.SFTPPermissionDenied():
            return "permission denied"
        case asyncssh.SFTPEOFError():
            return "EOF"
    text, name = _STATUS_NAMES.get(error.code, (error.reason, f"SSH_FX {error.code}"))
    return f"sftp: {go_text.quoted(error.reason or text)} ({name})"


def _check_readable(source: str) -> None:
    try:
        if not Path(source).is_dir():
            with Path(source).open("rb"):
                pass
        else:
            next(Path(source).iterdir(), None)
    except OSError as error:
        raise Refused(go_text.open_failed(source, error)) from None


def _chunks(source: str, target: str) -> Iterator[bytes]:
    try:
        with Path(source).open("rb") as local:
            while chunk := local.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise Refused(
            f"failed to copy file {source} to remote path {target}: "
            f"read {source}: {go_text.errno_text(error)}"
        ) from None


def _walk(root: Path, prefix: str = ".") -> Iterator[tuple[Path, str, bool]]:
    """Every entry below `root` and itself, by name; a link is what it is, not what it names."""
    yield root, prefix, True
    for entry in sorted(root.iterdir(), key=lambda path: path.name):
        relative = posixpath.normpath(posixpath.join(prefix, entry.name))
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry, relative)
        else:
            yield entry, relative, False


def _parent(path: str) -> str:
    return _clean(path[: path.rfind("/") + 1])


def _join(path: str, name: str) -> str:
    return _clean(f"{path}/{name}" if path else name)


def _base(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2] or ("/" if path else ".")


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned
