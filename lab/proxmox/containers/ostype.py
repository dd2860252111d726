"""Which system a template holds: its os-release, read from the archive."""

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from lab.proxmox.errors import TaskError
from lab.proxmox.parameters.containers import OPTIONS
from lab.world import World

_NAMES = (
    "./etc/os-release",
    "etc/os-release",
    "./usr/lib/os-release",
    "usr/lib/os-release",
)
_BY_ID = {
    "opensuse-leap": "opensuse",
    "opensuse-tumbleweed": "opensuse",
    "arch": "archlinux",
    "rocky": "centos",
    "almalinux": "centos",
    "rhel": "centos",
}
_known: dict[tuple[Path, int, int], str] = {}


async def detect_ostype(template: Path) -> str:
    """The ostype of a template; raises a TaskError when it cannot be told."""
    stat = template.stat()
    key = (template, stat.st_mtime_ns, stat.st_size)
    if key not in _known:
        _known[key] = _ostype(await _os_release(template))
    return _known[key]


def promised_ostype(world: World, volume: str) -> str | None:
    """The ostype of the system that a template of the world stands in for; None for any other."""
    for template in world.proxmox.templates:
        if template.volume == volume and template.stands_in_for:
            name = re.split(r"[^a-z]", template.stands_in_for.lower())[0]
            return name if name in (OPTIONS["ostype"].choices or ()) else None
    return None


async def _os_release(template: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        "tar", "--extract", "--to-stdout", "--file", str(template), *_NAMES,
        stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL,
    )  # fmt: skip
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:  # the task was interrupted
            process.kill()
            await process.communicate()
    return output.decode(errors="replace")


def _ostype(os_release: str) -> str:
    for line in os_release.splitlines():
        key, _, value = line.partition("=")
        if key == "ID":
            name = value.strip("\"'")
            name = _BY_ID.get(name, name)
            if name in (OPTIONS["ostype"].choices or ()):
                return name
    raise TaskError("unable to detect OS distribution")
