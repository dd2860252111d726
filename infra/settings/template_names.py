"""Where a template is and what is in it, read from its name. Pure."""

from pathlib import PurePosixPath
from urllib.parse import urlsplit

SYSTEMS = ("debian", "ubuntu", "alpine", "fedora", "centos", "archlinux", "opensuse")
EXTENSIONS = (".tar", ".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2")


def file_of(volume: str | None, url: str | None, file_name: str | None) -> str:
    """The file name of a template, without its storage; empty where nothing says it."""
    if volume:
        return PurePosixPath(volume).name
    return file_name or PurePosixPath(urlsplit(url or "").path).name


def guess_system(file: str) -> str | None:
    """The system that a template's file name begins with."""
    return next((system for system in SYSTEMS if file.startswith(f"{system}-")), None)
