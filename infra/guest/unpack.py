"""The archive of a release: verified by its hash, unpacked as root's, not writable by others."""

import gzip
import hashlib
import os
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from .failure import SendAgain, StepFailed
from .host import Host


def verified(path: Path, sha256: str) -> bool:
    """True where the file is there, and the tar in it is the one that the hash names."""
    try:
        with gzip.open(path, "rb") as tar:
            return hashlib.file_digest(tar, "sha256").hexdigest() == sha256
    except (FileNotFoundError, EOFError, gzip.BadGzipFile, zlib.error):
        return False


def demand(path: Path, sha256: str, send_again: str) -> None:
    """SendAgain, which carries the one command, unless the archive is there and whole."""
    if verified(path, sha256):
        return
    found = "is damaged or not whole" if path.exists() else "is not there"
    raise SendAgain(
        f"archive {sha256[:12]}: {found} ({path}), and no release was made from it on this host",
        remedy=f"send it again: {send_again}",
    )


def unpack(archive: Path, target: Path, host: Host) -> int:
    """Unpack into an empty directory; gives the number of files. Nothing can leave the target."""
    number = 0
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            path = _inside(target, member.name)
            if member.isdir():
                path.mkdir(mode=0o755, parents=True, exist_ok=True)
            elif member.issym():
                _inside(target, str(PurePosixPath(member.name).parent / member.linkname))
                path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                path.symlink_to(member.linkname)
            elif member.isreg():
                path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                _write(tar, member, path)
                number += 1
            else:
                raise StepFailed(f"archive: {member.name} is no file, directory or link")
            os.chown(path, host.root_ids.uid, host.root_ids.gid, follow_symlinks=False)
    return number


def _inside(target: Path, name: str) -> Path:
    resolved = Path(os.path.normpath(target / name))
    if resolved != target and target not in resolved.parents:
        raise StepFailed(f"archive: {name} leaves the release")
    return resolved


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise StepFailed(f"archive: {member.name} has no content")
    with path.open("xb") as file:
        while chunk := source.read(1 << 20):
            file.write(chunk)
    path.chmod(0o755 if member.mode & 0o100 else 0o644)
